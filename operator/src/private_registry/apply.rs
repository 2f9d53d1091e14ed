//! Children go to the cluster, what is no longer wanted goes away, and what happened is told.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Resource, ResourceExt,
    api::{DeleteParams, DynamicObject, Patch, PatchParams, Preconditions},
    runtime::events::{Event, EventType, Recorder},
};
use serde_json::{Value, json};

use crate::{
    cluster::apply::{APPLIED, Outcome, apply},
    crd::registry::{DeletionPolicy, PrivateRegistry},
    private_registry::{
        desired::{child::Component, children::Children, config_maps::content_hash},
        error::{PassError, unwritten},
        observe::{Reader, failed, json_of},
    },
};

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

/// Writes of one pass.
pub struct Pass<'a> {
    /// The object.
    pub object: &'a PrivateRegistry,
    /// What reads its namespace.
    pub reader: Reader<'a>,
    /// Where Events go.
    pub recorder: &'a Recorder,
    /// Kind and name of every child that was applied or stays as it is.
    wanted: BTreeSet<(String, String)>,
    /// Those of them that were applied.
    written: BTreeSet<(String, String)>,
    wrote: bool,
}

impl<'a> Pass<'a> {
    /// A pass that has written nothing.
    pub fn new(object: &'a PrivateRegistry, reader: Reader<'a>, recorder: &'a Recorder) -> Self {
        let mut pass = Self {
            object,
            reader,
            recorder,
            wanted: BTreeSet::new(),
            written: BTreeSet::new(),
            wrote: false,
        };
        // A Deployment that is held stays, and a CA outlives every change of mind: clients trust it.
        pass.stays("Deployment", reader.model.names.registry());
        pass.stays("Secret", reader.model.names.ca());
        pass.stays("Secret", reader.model.names.htpasswd());
        // Also while something is wrong with them.
        for user in &reader.model.users {
            let own = user.password_secret_ref.as_ref().map(|reference| reference.name.clone());
            pass.stays("Secret", own.unwrap_or_else(|| reader.model.names.user(&user.name)));
        }
        pass
    }

    fn stays(&mut self, kind: &str, name: String) {
        self.wanted.insert((kind.to_owned(), name));
    }

    /// Whether anything was sent.
    pub fn wrote(&self) -> bool {
        self.wrote
    }

    /// Applies one child; a foreign object of its name ends the pass.
    pub async fn child(&mut self, wanted: Value) -> Result<DynamicObject, PassError> {
        self.applied(wanted).await.map(|(live, _)| live)
    }

    /// Applies one child; the second value says whether it was there and is another now.
    async fn applied(&mut self, wanted: Value) -> Result<(DynamicObject, bool), PassError> {
        let kind = wanted["kind"].as_str().unwrap_or_default().to_owned();
        let name = wanted["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        self.stays(&kind, name.clone());
        self.written.insert((kind.clone(), name.clone()));
        let outcome = apply(self.reader.client, wanted, self.reader.family()).await;
        let outcome = outcome.map_err(|error| unwritten(&kind, &name, error))?;
        self.wrote |= !matches!(outcome, Outcome::Unchanged(_));
        match outcome {
            Outcome::Unchanged(live) => Ok((*live, false)),
            Outcome::Updated(live) => {
                tracing::info!(kind, name, namespace = self.reader.model.names.namespace, "updated");
                Ok((*live, true))
            }
            Outcome::Created(live) => {
                self.tell_about(EventType::Normal, "Created", format!("made {kind} {name}"), &live).await;
                Ok((*live, false))
            }
            Outcome::Reverted(live) => {
                let note = format!(
                    "{kind} {name} was changed by hand and put back: change the PrivateRegistry instead"
                );
                self.tell_about(EventType::Warning, "Reverted", note, &live).await;
                Ok((*live, true))
            }
            Outcome::Foreign(uid) => Err(PassError::NameConflict { kind, name, uid }),
        }
    }

    /// Applies all children; gives the Deployment, when it is among them, and the managed Redis'.
    pub async fn children(&mut self, children: Children) -> Result<Applied, PassError> {
        let Children { secrets, trust, boot, live, network_policies, disruption_budget, redis, deployment } =
            children;
        let mut changed = false;
        let mut hash = String::new();
        for input in secrets.into_iter().chain([live]) {
            let (live, now) = self.applied(input).await?;
            if self.mounted_live(&live.name_any()) {
                hash.push_str(live.annotations().get(APPLIED).map_or("", String::as_str));
                changed |= now;
            }
        }
        self.child(boot).await?;
        for child in trust.into_iter().chain(network_policies).chain(disruption_budget) {
            self.child(child).await?;
        }
        let mut applied = Applied::default();
        for child in redis {
            applied.redis = Some(self.child(child).await?);
        }
        if let Some(deployment) = deployment {
            applied.deployment = Some(self.child(deployment).await?);
        }
        if changed {
            self.hand_over(&content_hash(&hash)).await;
        }
        Ok(applied)
    }

    /// Makes the kubelet look at running pods now rather than in a minute or two, so that they get the files that just
    /// changed. It is a favour: a pod that cannot be touched gets them all the same.
    async fn hand_over(&self, inputs: &str) {
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
        [names.tls(), names.htpasswd(), names.live(), names.redis_auth()].iter().any(|input| input == name)
    }

    /// Under Retain, what an earlier `Delete` put under the owner's fate is taken out of it, also when this pass had no
    /// other business with it.
    pub async fn release(&self, api_version: &str, kind: &str, name: &str) -> Result<(), PassError> {
        let retain = self.object.spec.deletion_policy == DeletionPolicy::Retain;
        if !retain || self.written.contains(&(kind.to_owned(), name.to_owned())) {
            return Ok(());
        }
        let Some(live) = self.reader.object(api_version, kind, name).await? else { return Ok(()) };
        let uid = &self.reader.model.owner.uid;
        if live.owner_references().iter().any(|owner| owner.uid == *uid) {
            let patch = json!({"metadata": {"ownerReferences": null}});
            let api = self.reader.api(api_version, kind);
            let patched = api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await;
            patched.map_err(failed(|| format!("release {kind} {name}")))?;
        }
        Ok(())
    }

    /// Tells what happened to the registry.
    pub async fn tell(&self, type_: EventType, reason: &str, note: String) {
        tell(self.recorder, self.object, News { type_, reason, note, child: None }).await;
    }

    /// Tells what happened to a child.
    async fn tell_about(&self, type_: EventType, reason: &str, note: String, child: &DynamicObject) {
        tell(self.recorder, self.object, News { type_, reason, note, child: Some(child) }).await;
    }
}

/// What an Event says.
pub struct News<'a> {
    /// Whether it is good.
    pub type_: EventType,
    /// Word from the fixed list.
    pub reason: &'a str,
    /// For people.
    pub note: String,
    /// The child that it is about: keeps Events of one reason apart.
    pub child: Option<&'a DynamicObject>,
}

/// An Event is news, not state: one that cannot be written is logged.
pub async fn tell(recorder: &Recorder, object: &PrivateRegistry, news: News<'_>) {
    let secondary = news.child.map(|child| {
        let types = child.types.clone().unwrap_or_default();
        ObjectReference {
            api_version: Some(types.api_version),
            kind: Some(types.kind),
            name: child.metadata.name.clone(),
            namespace: child.metadata.namespace.clone(),
            uid: child.metadata.uid.clone(),
            ..ObjectReference::default()
        }
    });
    let note = news.note.chars().take(1000).collect();
    let event = Event {
        type_: news.type_,
        reason: news.reason.into(),
        note: Some(note),
        action: "Reconcile".into(),
        secondary,
    };
    if let Err(error) = recorder.publish(&event, &object.object_ref(&())).await {
        tracing::warn!(%error, reason = news.reason, "failed to write an Event");
    }
}

/// Workloads as the cluster has them after a pass.
#[derive(Debug, Default)]
pub struct Applied {
    /// The registry's Deployment, unless it was held.
    pub deployment: Option<DynamicObject>,
    /// The managed Redis' Deployment.
    pub redis: Option<DynamicObject>,
}
