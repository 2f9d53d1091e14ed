//! What running pods re-read: applied, and handed over at once.

use kube::{
    ResourceExt,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    cluster::apply::APPLIED,
    private_registry::{
        apply::{Handed, Pass},
        desired::{child::Component, config_maps::content_hash},
        error::PassError,
        observe::json_of,
    },
};

impl Pass<'_> {
    /// Applies files, some of which running pods re-read.
    pub(super) async fn inputs(&mut self, inputs: impl IntoIterator<Item = Value>) -> Result<(), PassError> {
        for input in inputs {
            let (live, changed) = self.applied(input).await?;
            if self.mounted_live(&live.name_any()) {
                let hash = live.annotations().get(APPLIED).map_or("", String::as_str);
                self.handed.hashes.push_str(hash);
                self.handed.changed |= changed;
            }
        }
        Ok(())
    }

    /// Makes the kubelet look at running pods now rather than in a minute or two, so that they get the files that just
    /// changed. It is a favour: a pod that cannot be touched gets them all the same.
    pub(super) async fn hand_over(&mut self) {
        let Handed { hashes, changed } = std::mem::take(&mut self.handed);
        if !changed {
            return;
        }
        let inputs = content_hash(&hashes);
        let pods = match self.registry_pods().await {
            Ok(pods) => pods,
            Err(error) => return tracing::warn!(%error, "failed to hand changed files over at once"),
        };
        let api = self.reader.api("v1", "Pod");
        let patch = json!({"metadata": {"annotations": {"privateregistry.dev/inputs": inputs}}});
        for pod in pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
            let patched = api.patch(&pod.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await;
            if let Err(error) = patched {
                tracing::warn!(%error, pod = pod.name_any(), "failed to hand changed files over at once");
            }
        }
    }

    /// Pods of the registry, for what they say about themselves.
    pub async fn pods(&self) -> Result<Vec<Value>, PassError> {
        Ok(self.registry_pods().await?.iter().map(json_of).collect())
    }

    async fn registry_pods(&self) -> Result<Vec<DynamicObject>, PassError> {
        let component = Component::Registry.word();
        let ours = |pod: &DynamicObject| {
            pod.labels().get("app.kubernetes.io/component").is_some_and(|found| found == component)
        };
        Ok(self.reader.children("v1", "Pod").await?.into_iter().filter(ours).collect())
    }

    /// Whether running pods re-read what this child holds.
    fn mounted_live(&self, name: &str) -> bool {
        let names = &self.reader.model.names;
        let inputs = [
            names.tls(),
            names.htpasswd(),
            names.live(),
            names.clients(),
            names.redis_auth(),
            names.token_keys(),
        ];
        inputs.iter().any(|input| input == name)
            || [names.tokens(""), names.live_of_tokens("")].iter().any(|first| name.starts_with(first))
    }
}
