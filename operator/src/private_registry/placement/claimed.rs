//! A store on a claim: whether the claim that is there is the one that holds the images.

use serde_json::Value;

use crate::{
    crd::condition::reason,
    private_registry::{
        desired::deployment::Placement,
        error::Problem,
        model::{Model, Store},
        placement::{
            Decision, Present,
            recorded::{Recorded, done, initialized, ready, used},
        },
    },
};

/// The claim `name` of the model's store, beside what is known of it.
struct Claimed<'a> {
    model: &'a Model,
    name: &'a str,
    present: Present<'a>,
    /// The uid of the claim in use.
    known: Option<&'a str>,
    /// The value of `accept-empty-store`.
    accepted: Option<&'a str>,
}

/// The pods go where the model says, if that is safe.
pub fn place(model: &Model, recorded: Option<&Recorded>, present: Present<'_>) -> Decision {
    let Some(name) = model.store.claim() else {
        let placement = Placement { store: model.store.clone(), ..Placement::default() };
        return Decision { placement, ..Decision::default() };
    };
    let known = recorded.and_then(|recorded| recorded.uid.as_deref());
    let claimed = Claimed { model, name, present, known, accepted: model.wishes.accept_empty_store() };
    match claimed.problem() {
        Some(problem) => claimed.held(problem),
        None => claimed.open(),
    }
}

impl Claimed<'_> {
    fn uid(&self) -> Option<&str> {
        self.present.claim.and_then(|claim| claim["metadata"]["uid"].as_str())
    }

    /// What keeps the pods from the claim.
    fn problem(&self) -> Option<Problem> {
        let Self { name, accepted, .. } = self;
        if self.present.claim.is_some_and(|claim| claim["metadata"]["deletionTimestamp"].is_string()) {
            return Some(Problem::new(reason::CLAIM_LOST, going(name)));
        }
        match (self.uid(), self.known) {
            (None, Some(known)) if *accepted != Some(known) => {
                Some(Problem::new(reason::CLAIM_LOST, lost(name, known)))
            }
            (None, _) if matches!(self.model.store, Store::ExistingClaim(_)) => {
                Some(Problem::new(reason::CLAIM_NOT_FOUND, absent(name)))
            }
            (Some(uid), Some(known))
                if uid != known && *accepted != Some(uid) && *accepted != Some(known) =>
            {
                Some(Problem::new(reason::CLAIM_LOST, another(name, uid, known)))
            }
            (Some(_), _) => {
                let message = too_narrow(self.model, self.present.claim)?;
                Some(Problem::new(reason::ACCESS_MODE_UNSUPPORTED, message))
            }
            (None, _) => None,
        }
    }

    fn held(&self, problem: Problem) -> Decision {
        let uid = self.known.map(str::to_owned);
        Decision {
            placement: Placement { store: self.model.store.clone(), uid, ..Placement::default() },
            held: true,
            problem: Some(problem),
            ..Decision::default()
        }
    }

    /// The claim may be used, and made where it is not there.
    fn open(&self) -> Decision {
        let placement = Placement { store: self.model.store.clone(), ..Placement::default() };
        let Some((claim, uid)) = self.present.claim.zip(self.uid()) else {
            return Decision { placement, claim: true, initialize: true, ..Decision::default() };
        };
        let same = self.known == Some(uid);
        let initialized = initialized(claim) || (same && used(self.present.deployment));
        let done = done(self.present);
        // A value counts once: the next time that the volume comes up empty, somebody has to look.
        let pending = self.accepted == Some(uid) && done.as_deref() != self.accepted;
        let works = pending && same && ready(self.present.deployment);
        let accepted = if works { self.accepted.map(str::to_owned) } else { done };
        let uid = Some(uid.to_owned());
        Decision {
            placement: Placement { uid, initialized, shared: shared(claim), accepted, ..placement },
            claim: true,
            initialize: !initialized || (pending && !works),
            ..Decision::default()
        }
    }
}

fn going(name: &str) -> String {
    format!(
        "claim {name} is being deleted: its volume goes with the last pod that uses it. Do not restart the pod; copy \
         the images away first"
    )
}

fn absent(name: &str) -> String {
    format!(
        "spec.storage.filesystem.existingClaimName: there is no claim {name}: make it, or correct the name"
    )
}

fn another(name: &str, uid: &str, known: &str) -> String {
    format!(
        "claim {name} is not the one that holds the images (uid {uid} instead of {known}): bring the old one back, or \
         set the annotation privateregistry.dev/accept-empty-store={uid} to go on with what it holds"
    )
}

fn lost(name: &str, known: &str) -> String {
    format!(
        "claim {name}, which holds the images, is gone: restore it from a backup, or set the annotation \
         privateregistry.dev/accept-empty-store={known} to start with an empty one"
    )
}

/// More pods than nodes may mount the claim.
fn too_narrow(model: &Model, claim: Option<&Value>) -> Option<String> {
    (model.spec.replicas > 1 && !shared(claim?)).then(|| {
        let name = model.store.claim().unwrap_or_default();
        format!("claim {name} is not ReadWriteMany: set spec.replicas to 1, or name a claim that is")
    })
}

/// Pods of several nodes may mount the claim.
fn shared(claim: &Value) -> bool {
    claim["spec"]["accessModes"]
        .as_array()
        .is_some_and(|modes| modes.iter().any(|mode| mode == "ReadWriteMany"))
}
