//! Children that are no longer wanted go.

use std::collections::BTreeSet;

use kube::{
    ResourceExt,
    api::{DeleteParams, Preconditions},
};

use crate::private_registry::{apply::Pass, error::PassError, observe::failed};

/// Kinds of children that may go, and whether pods need them until they are replaced.
const PRUNABLE: &[(&str, &str, bool)] = &[
    ("networking.k8s.io/v1", "NetworkPolicy", false),
    ("policy/v1", "PodDisruptionBudget", false),
    ("apps/v1", "Deployment", true),
    ("v1", "Service", true),
    ("v1", "Secret", true),
    ("v1", "ConfigMap", true),
    ("v1", "ServiceAccount", true),
];

impl Pass<'_> {
    /// Deletes children that are no longer wanted. Those that pods mount wait until the pods are replaced.
    pub async fn prune(&self, rolled_out: bool) -> Result<(), PassError> {
        let mut mounted = None;
        for (api_version, kind, needed) in PRUNABLE.iter().filter(|(_, _, needed)| rolled_out || !needed) {
            for child in self.reader.children(api_version, kind).await? {
                let name = child.name_any();
                if !self.reader.model.names.is_child(&name)
                    || self.wanted.contains(&((*kind).to_owned(), name.clone()))
                    || child.metadata.deletion_timestamp.is_some()
                    || !self.reader.family().has(&child.metadata)
                {
                    continue;
                }
                if *needed && *kind == "ConfigMap" {
                    if mounted.is_none() {
                        mounted = Some(self.mounted().await?);
                    }
                    if mounted.as_ref().is_some_and(|mounted| mounted.contains(&name)) {
                        continue;
                    }
                }
                let preconditions =
                    Some(Preconditions { uid: child.metadata.uid.clone(), ..Preconditions::default() });
                let params = DeleteParams { preconditions, ..DeleteParams::background() };
                let deleted = self.reader.api(api_version, kind).delete(&name, &params).await;
                match deleted {
                    Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => {}
                    other => drop(other.map_err(failed(|| format!("delete {kind} {name}")))?),
                }
                tracing::info!(
                    kind,
                    name,
                    namespace = self.reader.model.names.namespace,
                    "deleted: no longer wanted"
                );
            }
        }
        Ok(())
    }

    /// ConfigMaps that a ReplicaSet mounts: `kubectl rollout undo` needs them.
    async fn mounted(&self) -> Result<BTreeSet<String>, PassError> {
        let sets = self.reader.children("apps/v1", "ReplicaSet").await?;
        let volumes = sets.iter().flat_map(|set| {
            set.data["spec"]["template"]["spec"]["volumes"].as_array().cloned().unwrap_or_default()
        });
        Ok(volumes.filter_map(|volume| volume["configMap"]["name"].as_str().map(str::to_owned)).collect())
    }
}
