//! Children go to the cluster.

use std::collections::BTreeSet;

use kube::{
    ResourceExt,
    api::{DynamicObject, Patch, PatchParams},
    runtime::events::{EventType, Recorder},
};
use serde_json::{Value, json};

use crate::{
    cluster::apply::{Known, Outcome, apply},
    crd::registry::{DeletionPolicy, PrivateRegistry},
    private_registry::{
        desired::children::Children,
        error::{PassError, unwritten},
        observe::{Reader, failed},
        tell::{News, tell},
        tried::Trial,
    },
};

/// Writes of one pass.
pub struct Pass<'a> {
    /// The object.
    pub object: &'a PrivateRegistry,
    /// What reads its namespace.
    pub reader: Reader<'a>,
    /// Where Events go.
    pub recorder: &'a Recorder,
    /// Kind and name of every child that was applied or stays as it is.
    pub(super) wanted: BTreeSet<(String, String)>,
    /// Those of them that were applied.
    written: BTreeSet<(String, String)>,
    /// Kind and name of those that were made and not told of yet.
    made: Vec<(String, DynamicObject)>,
    /// Those that running pods re-read.
    pub(super) handed: Handed,
    wrote: bool,
}

/// What a pass has applied of what running pods re-read.
#[derive(Debug, Default)]
pub(super) struct Handed {
    /// The hash of each.
    pub(super) hashes: String,
    /// Something is not what it was.
    pub(super) changed: bool,
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
            made: Vec::new(),
            handed: Handed::default(),
            wrote: false,
        };
        // A Deployment that is held stays, and a CA outlives every change of mind: clients trust it.
        pass.stays("Deployment", reader.model.names.registry());
        pass.stays("Secret", reader.model.names.ca());
        if reader.model.token_server().is_none() {
            pass.stays("Secret", reader.model.names.htpasswd());
        }
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

    /// What the pass knows of a child that it is about to apply. What it knows nothing of is not there, most likely.
    fn known(&self, kind: &str, name: &str) -> Known {
        match self.reader.stock.get(kind, name).map(Box::new) {
            Some(read) if kind == "Secret" => Known::Source(read),
            Some(seen) => Known::Seen(seen),
            None => Known::Absent,
        }
    }

    /// Whether nothing was said about the object yet.
    pub(super) fn first(&self) -> bool {
        let conditions = self.object.status.as_ref().map(|status| &status.conditions);
        conditions.is_none_or(|all| all.iter().all(|condition| condition.status == "Unknown"))
    }

    /// Applies one child; the second value says whether it was there and is another now.
    pub(super) async fn applied(&mut self, wanted: Value) -> Result<(DynamicObject, bool), PassError> {
        let kind = wanted["kind"].as_str().unwrap_or_default().to_owned();
        let name = wanted["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        self.stays(&kind, name.clone());
        self.written.insert((kind.clone(), name.clone()));
        let known = self.known(&kind, &name);
        let outcome = apply(self.reader.client, &wanted, known, self.reader.family()).await;
        let outcome = outcome.map_err(|error| unwritten(&kind, &name, error))?;
        self.wrote |= !matches!(outcome, Outcome::Unchanged(_));
        if let Outcome::Created(live) | Outcome::Updated(live) | Outcome::Reverted(live) = &outcome {
            // Where a Service leads by now is in the accounts' files, which were made before: once more.
            if kind != "Service" || matches!(outcome, Outcome::Created(_)) {
                self.reader.echoes.expect(&live.metadata);
            }
            self.reader.stock.put(&kind, live);
        }
        match outcome {
            Outcome::Unchanged(live) => Ok((*live, false)),
            Outcome::Updated(live) => {
                tracing::info!(kind, name, namespace = self.reader.model.names.namespace, "updated");
                Ok((*live, true))
            }
            Outcome::Created(live) => {
                self.made.push((format!("{kind} {name}"), (*live).clone()));
                Ok((*live, false))
            }
            Outcome::Reverted(live) => {
                let note = format!(
                    "{kind} {name} was changed by hand and put back: change the PrivateRegistry instead"
                );
                self.tell_about(EventType::Warning, "Reverted", note, &live).await;
                Ok((*live, true))
            }
            Outcome::Misselects(live) => {
                self.wrote = true;
                Ok((self.replace(&live, &wanted).await?, true))
            }
            Outcome::Foreign(uid) => Err(PassError::NameConflict { kind, name, uid }),
        }
    }

    /// Applies all children; gives those whose state matters. `before` is the Deployment as it was.
    pub async fn children(
        &mut self,
        mut children: Children,
        before: Option<&Value>,
    ) -> Result<Applied, PassError> {
        let trial = self.tried(&mut children, before).await;
        // Pods that stay for now keep what they use, and stay reachable as they are.
        let held = before.is_some() && (children.deployment.is_none() || !matches!(trial, Ok(None)));
        let files = self.files(&mut children, held).await;
        // Also when one of them could not be written, and whatever becomes of the rest.
        self.hand_over().await;
        files?;
        if let Some(trust) = children.trust.take() {
            self.child(trust).await?;
        }
        match trial? {
            trial if held => self.hold(children, trial).await,
            _ => self.roll_out(children, before).await,
        }
    }

    /// Applies the boot file and what it names that a trial is to find, and tries it.
    async fn tried(
        &mut self,
        children: &mut Children,
        before: Option<&Value>,
    ) -> Result<Option<Trial>, PassError> {
        self.child(children.boot.take()).await?;
        self.inputs(children.tokens.take()).await?;
        match &children.deployment {
            Some(deployment) => self.trial(deployment, before).await,
            None => Ok(None),
        }
    }

    /// Applies what else is in files of pods.
    async fn files(&mut self, children: &mut Children, held: bool) -> Result<(), PassError> {
        let login = match children.redis_auth.take() {
            Some(_) if held && self.redis().await?.is_none() => None,
            login => login,
        };
        let secrets = std::mem::take(&mut children.secrets);
        let others = login.into_iter().chain(children.clients.take()).chain([children.live.take()]);
        self.inputs(secrets.into_iter().chain(others)).await
    }

    /// Under Retain, what an earlier `Delete` put under the owner's fate is taken out of it, also when this pass had no
    /// other business with it. Under Delete, a CA that is not used any more goes with the owner, too; images that are in use
    /// no more are not ours to delete.
    pub async fn release(&self, api_version: &str, kind: &str, name: &str) -> Result<(), PassError> {
        let retain = self.object.spec.deletion_policy == DeletionPolicy::Retain;
        if self.written.contains(&(kind.to_owned(), name.to_owned())) || !(retain || kind == "Secret") {
            return Ok(());
        }
        let Some(live) = self.reader.object(api_version, kind, name).await? else { return Ok(()) };
        let uid = &self.reader.model.owner.uid;
        let (ours, others): (Vec<_>, Vec<_>) =
            live.owner_references().iter().cloned().partition(|owner| owner.uid == *uid);
        let goes_too = !retain && self.reader.family().has(&live.metadata);
        let owners: Vec<_> =
            others.into_iter().chain(goes_too.then(|| self.reader.model.owner.clone())).collect();
        if ours.is_empty() == goes_too {
            // On condition that the list is still the one that was read.
            let patch = json!({"metadata": {"ownerReferences": owners,
                "resourceVersion": live.metadata.resource_version}});
            let api = self.reader.api(api_version, kind);
            let patched = api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await;
            patched.map_err(failed(|| format!("release {kind} {name}")))?;
        }
        Ok(())
    }

    /// Tells which children are new, all in one Event: of a new registry all are.
    pub async fn tell_made(&mut self) {
        let (names, made): (Vec<_>, Vec<_>) = std::mem::take(&mut self.made).into_iter().unzip();
        // The first one keeps this Event apart from that of the next pass.
        if let Some(first) = made.first() {
            let note = format!("made {}", names.join(", "));
            self.tell_about(EventType::Normal, "Created", note, first).await;
        }
    }

    /// Tells what happened to the registry.
    pub async fn tell(&self, type_: EventType, reason: &str, note: String) {
        tell(self.recorder, self.object, News { type_, reason, note, child: None }).await;
    }

    /// Tells what happened to a child.
    pub(super) async fn tell_about(
        &self,
        type_: EventType,
        reason: &str,
        note: String,
        child: &DynamicObject,
    ) {
        tell(self.recorder, self.object, News { type_, reason, note, child: Some(child) }).await;
    }
}

/// Workloads as the cluster has them after a pass.
#[derive(Debug, Default)]
pub struct Applied {
    /// The registry's Deployment, unless it was held.
    pub deployment: Option<DynamicObject>,
    /// The public Service, unless the pods are to be reached as before.
    pub service: Option<DynamicObject>,
    /// What keeps the Deployment from being applied: what it would run has not started yet.
    pub trial: Option<Trial>,
    /// The pods, and what leads to them, stay as they are.
    pub held: bool,
    /// The pods wait for their Redis to be replaced.
    pub after_redis: bool,
    /// The managed Redis' Deployment.
    pub redis: Option<DynamicObject>,
}
