//! Children that are no longer wanted go.

use std::collections::BTreeSet;

use kube::{
    ResourceExt,
    api::{DeleteParams, DynamicObject, Preconditions},
};

use crate::private_registry::{apply::Pass, error::PassError, observe::failed};

/// A kind of children that may go.
struct Prunable {
    api_version: &'static str,
    kind: &'static str,
    /// Pods need it until they are replaced.
    needed: bool,
}

const PRUNABLE: &[Prunable] = &[
    Prunable { api_version: "networking.k8s.io/v1", kind: "NetworkPolicy", needed: false },
    Prunable { api_version: "policy/v1", kind: "PodDisruptionBudget", needed: false },
    Prunable { api_version: "apps/v1", kind: "Deployment", needed: true },
    Prunable { api_version: "v1", kind: "Pod", needed: true },
    Prunable { api_version: "v1", kind: "Service", needed: true },
    Prunable { api_version: "v1", kind: "Secret", needed: true },
    Prunable { api_version: "v1", kind: "ConfigMap", needed: true },
    Prunable { api_version: "v1", kind: "ServiceAccount", needed: true },
];

impl Pass<'_> {
    /// Deletes children that are no longer wanted. Those that pods mount wait until the pods are replaced.
    pub async fn prune(&self, rolled_out: bool) -> Result<(), PassError> {
        // A Redis goes with its last user, and what protects it with it.
        let redis = self.reader.model.names.redis();
        for kind in PRUNABLE.iter().filter(|kind| rolled_out || !kind.needed) {
            let mut unwanted = self.reader.children(kind.api_version, kind.kind).await?;
            unwanted.retain(|child| self.unwanted(kind.kind, child));
            unwanted.retain(|child| rolled_out || child.name_any() != redis);
            if kind.kind == "ConfigMap" && !unwanted.is_empty() {
                let mounted = self.mounted().await?;
                let boot = self.reader.model.names.config("");
                unwanted.retain(|child| {
                    let name = child.name_any();
                    !(name.starts_with(&boot) && mounted.contains(&name))
                });
            }
            for child in &unwanted {
                self.delete(kind.api_version, kind.kind, child, DeleteParams::background()).await?;
            }
        }
        Ok(())
    }

    /// A child of ours that this pass did not want, and that is not going already.
    fn unwanted(&self, kind: &str, child: &DynamicObject) -> bool {
        let name = child.name_any();
        self.reader.model.names.is_child(&name)
            && !self.wanted.contains(&(kind.to_owned(), name))
            && child.metadata.deletion_timestamp.is_none()
            && self.reader.family().has(&child.metadata)
    }

    /// Deletes exactly the object that was looked at; one that went in the meantime is gone.
    pub(super) async fn delete(
        &self,
        api_version: &str,
        kind: &str,
        object: &DynamicObject,
        params: DeleteParams,
    ) -> Result<(), PassError> {
        let name = object.name_any();
        let preconditions =
            Some(Preconditions { uid: object.metadata.uid.clone(), ..Preconditions::default() });
        let params = DeleteParams { preconditions, ..params };
        match self.reader.api(api_version, kind).delete(&name, &params).await {
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => return Ok(()),
            other => drop(other.map_err(failed(|| format!("delete {kind} {name}")))?),
        }
        let namespace = &self.reader.model.names.namespace;
        tracing::info!(kind, name, namespace, "deleted: no longer wanted");
        Ok(())
    }

    /// ConfigMaps that a ReplicaSet mounts: `kubectl rollout undo` needs the boot files among them.
    async fn mounted(&self) -> Result<BTreeSet<String>, PassError> {
        let sets = self.reader.children("apps/v1", "ReplicaSet").await?;
        let volumes = sets.iter().flat_map(|set| {
            set.data["spec"]["template"]["spec"]["volumes"].as_array().cloned().unwrap_or_default()
        });
        Ok(volumes.filter_map(|volume| volume["configMap"]["name"].as_str().map(str::to_owned)).collect())
    }
}
