//! What leads to pods, and the pods, in the order in which they are replaced.

use kube::{
    ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PropagationPolicy},
    runtime::events::EventType,
};
use serde_json::{Value, json};

use crate::{
    cluster::{
        apply::{APPLIED, marked},
        deployment::{past_deadline, replaced},
    },
    private_registry::{
        apply::{Applied, Pass},
        desired::children::Children,
        error::{PassError, unwritten},
        model::CacheKind,
        observe::{failed, json_of},
    },
};

/// Labels of a Deployment's selector, on what it is to select.
const SELECTOR: &str = "/spec/selector/matchLabels";

impl Pass<'_> {
    /// Applies what leads to pods, and the pods. `before` is the registry's Deployment as it was.
    pub(super) async fn roll_out(
        &mut self,
        children: Children,
        before: Option<&Value>,
    ) -> Result<Applied, PassError> {
        let mut applied =
            Applied { service: Some(self.child(children.service).await?), ..Applied::default() };
        for child in children.network_policies.into_iter().chain(children.disruption_budget) {
            self.child(child).await?;
        }
        for child in children.redis {
            applied.redis = Some(self.child(child).await?);
        }
        let Some(deployment) = children.deployment else { return Ok(applied) };
        let redis = applied.redis.as_ref().map(json_of);
        applied.after_redis = before.is_some_and(|before| waits(&deployment, before, redis.as_ref()));
        if !applied.after_redis {
            applied.deployment = Some(self.child(deployment).await?);
        }
        Ok(applied)
    }

    /// The managed Redis as it is.
    pub(super) async fn redis(&self) -> Result<Option<DynamicObject>, PassError> {
        match self.reader.model.cache {
            CacheKind::ManagedRedis(_) => {
                self.reader.object("apps/v1", "Deployment", &self.reader.model.names.redis()).await
            }
            CacheKind::ExternalRedis(_) | CacheKind::Memory(_) | CacheKind::None => Ok(None),
        }
    }

    /// A Deployment that selects other pods than it should goes, and the next pass makes it anew. Its pods stay, and get
    /// the labels by which the new one and the Service find them.
    pub(super) async fn replace(&self, live: &DynamicObject, wanted: &Value) -> Result<PassError, PassError> {
        let name = live.name_any();
        let labels = wanted.pointer(SELECTOR).cloned().unwrap_or_default();
        if live.metadata.deletion_timestamp.is_none() {
            for set in self.selected("ReplicaSet", "apps/v1", live).await? {
                for pod in self.selected("Pod", "v1", &set).await? {
                    self.label("Pod", "v1", &pod, &labels).await?;
                }
                self.label("ReplicaSet", "apps/v1", &set, &labels).await?;
            }
            let note =
                format!("Deployment {name} selected pods by other labels: it is made anew over its pods");
            self.tell_about(EventType::Normal, "Replaced", note, live).await;
            let orphan = DeleteParams {
                propagation_policy: Some(PropagationPolicy::Orphan),
                ..DeleteParams::default()
            };
            self.delete("apps/v1", "Deployment", live, orphan).await?;
        }
        Ok(PassError::Replacing(name))
    }

    /// Objects of `kind` that `owner` controls.
    async fn selected(
        &self,
        kind: &str,
        api_version: &str,
        owner: &DynamicObject,
    ) -> Result<Vec<DynamicObject>, PassError> {
        let labels = json_of(owner).pointer(SELECTOR).and_then(Value::as_object).cloned().unwrap_or_default();
        let labels: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect();
        let params = ListParams::default().labels(&labels.join(","));
        let found = self.reader.api(api_version, kind).list(&params).await;
        let mut found = found.map_err(failed(|| format!("list {kind} objects")))?.items;
        found.retain(|one| {
            one.owner_references().iter().any(|of| Some(&of.uid) == owner.metadata.uid.as_ref())
        });
        Ok(found)
    }

    async fn label(
        &self,
        kind: &str,
        api_version: &str,
        object: &DynamicObject,
        labels: &Value,
    ) -> Result<(), PassError> {
        let (name, patch) = (object.name_any(), json!({"metadata": {"labels": labels}}));
        let api = self.reader.api(api_version, kind);
        let patched = api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await;
        patched.map(drop).map_err(|error| unwritten(kind, &name, error))
    }
}

/// Redis first, then those who use it: not both at once. A Redis that does not come up holds nobody back for ever.
fn waits(wanted: &Value, before: &Value, redis: Option<&Value>) -> bool {
    let changed = before["metadata"]["annotations"][APPLIED] != marked(wanted.clone()).1;
    changed && redis.is_some_and(|redis| !replaced(redis) && !past_deadline(redis))
}
