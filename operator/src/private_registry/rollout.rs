//! What leads to pods, and the pods, in the order in which they are replaced.

use std::time::{Duration, Instant};

use kube::{
    ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PropagationPolicy},
    runtime::events::EventType,
};
use serde_json::{Value, json};

use crate::{
    cluster::{
        apply::marked,
        create::create,
        deployment::{current, past_deadline, replaced},
        subset::contains,
    },
    private_registry::{
        apply::{Applied, Pass},
        desired::children::Children,
        error::{PassError, unwritten},
        held::remembering,
        model::CacheKind,
        observe::{failed, json_of},
    },
};

/// Labels of a Deployment's selector, on what it is to select.
const SELECTOR: &str = "/spec/selector/matchLabels";

/// How long a Deployment that is replaced may take to go.
const GOING: Duration = Duration::from_secs(10);

impl Pass<'_> {
    /// Applies what leads to pods, and the pods. `before` is the registry's Deployment as it was.
    pub(super) async fn roll_out(
        &mut self,
        mut children: Children,
        before: Option<&Value>,
    ) -> Result<Applied, PassError> {
        let redis = self.apply_redis(std::mem::take(&mut children.redis)).await?;
        let seen = redis.as_ref().map(json_of);
        let waits = children.deployment.as_ref().zip(before);
        if waits.is_some_and(|(wanted, before)| waits_for_redis(wanted, before, seen.as_ref())) {
            self.stay(children).await?;
            return Ok(Applied { redis, held: true, after_redis: true, ..Applied::default() });
        }
        let service = Some(self.child(remembering(children.service)).await?);
        for child in children.network_policies.into_iter().chain(children.disruption_budget) {
            self.child(remembering(child)).await?;
        }
        let deployment = match children.deployment {
            Some(deployment) => Some(self.child(remembering(deployment)).await?),
            None => None,
        };
        Ok(Applied { deployment, service, redis, ..Applied::default() })
    }

    /// Applies the managed Redis, if there is to be one; gives its Deployment.
    pub(super) async fn apply_redis(
        &mut self,
        children: Vec<Value>,
    ) -> Result<Option<DynamicObject>, PassError> {
        let mut last = None;
        for child in children {
            last = Some(self.child(child).await?);
        }
        Ok(last)
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

    /// A Deployment that selects other pods than it should is made anew. Its pods stay, and get the labels by which the new
    /// one and the Service find them; where that would take from the old one what it selects by, they go.
    pub(super) async fn replace(
        &self,
        live: &DynamicObject,
        wanted: &Value,
    ) -> Result<DynamicObject, PassError> {
        let name = live.name_any();
        if live.metadata.deletion_timestamp.is_none() {
            let labels = wanted.pointer(SELECTOR).cloned().unwrap_or_default();
            let stays = agree(json_of(live).pointer(SELECTOR), &labels);
            let propagation_policy =
                Some(if stays { PropagationPolicy::Orphan } else { PropagationPolicy::Foreground });
            if stays {
                self.take_over(live, &labels).await?;
            }
            let params = DeleteParams { propagation_policy, ..DeleteParams::default() };
            self.delete("apps/v1", "Deployment", live, params).await?;
            let note = format!("Deployment {name} selected pods by other labels: it is made anew");
            self.tell_about(EventType::Normal, "Replaced", note, live).await;
        }
        // In this pass: the Deployment has the only record of some of what the next one has to know.
        self.gone(live).await?;
        let api = self.reader.api("apps/v1", "Deployment");
        let made = create(&api, &marked(wanted.clone()).0).await;
        let made = made.map_err(|error| unwritten("Deployment", &name, error))?;
        self.reader.echoes.expect(&made.metadata);
        self.reader.stock.put("Deployment", &made);
        Ok(made)
    }

    async fn take_over(&self, live: &DynamicObject, labels: &Value) -> Result<(), PassError> {
        for set in self.selected("ReplicaSet", "apps/v1", live).await? {
            for pod in self.selected("Pod", "v1", &set).await? {
                self.label("Pod", "v1", &pod, labels).await?;
            }
            self.label("ReplicaSet", "apps/v1", &set, labels).await?;
        }
        Ok(())
    }

    /// Waits until a Deployment that was deleted is gone.
    async fn gone(&self, live: &DynamicObject) -> Result<(), PassError> {
        let (name, began) = (live.name_any(), Instant::now());
        while let Some(found) = self.reader.read("apps/v1", "Deployment", &name).await? {
            if found.metadata.uid != live.metadata.uid || began.elapsed() > GOING {
                return Err(PassError::Replacing(name));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
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

/// Whether what an object is selected by stays as it is when it gets more labels.
fn agree(selector: Option<&Value>, labels: &Value) -> bool {
    let by = selector.and_then(Value::as_object).into_iter().flatten();
    by.into_iter().all(|(key, value)| labels.get(key).is_none_or(|label| label == value))
}

/// A Redis that the pods use is replaced first, then they: not both at once. One that does not come up, or that somebody
/// has stopped, holds nobody back for ever.
fn waits_for_redis(wanted: &Value, before: &Value, redis: Option<&Value>) -> bool {
    let changed = !contains(&before["spec"], &wanted["spec"]);
    changed
        && redis.is_some_and(|redis| {
            let used = redis["metadata"]["generation"].as_i64().is_some_and(|generation| generation > 1);
            let stuck = redis["spec"]["paused"] == true || (current(redis) && past_deadline(redis));
            used && !stuck && !replaced(redis)
        })
}
