//! Which store the pods get. A store that holds images is never left for another one without a word from the user.

use serde_json::Value;

use crate::{
    crd::condition::reason,
    private_registry::{
        desired::{
            deployment::{self, Placement},
            volume_claim,
        },
        error::Problem,
        model::{Model, Store},
    },
};

/// What the cluster has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Present<'a> {
    /// The registry's Deployment.
    pub deployment: Option<&'a Value>,
    /// The claim of the model's store.
    pub claim: Option<&'a Value>,
}

/// Where the pods go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// The store, its identity, and whether a server has used it.
    pub placement: Placement,
    /// The Deployment stays as it is.
    pub held: bool,
    /// The claim may be made or grown.
    pub claim: bool,
    /// A store without the expected identity may be taken.
    pub initialize: bool,
    /// What the user must decide or mend.
    pub problem: Option<Problem>,
}

/// The store in use, as the Deployment records it.
#[derive(Debug, Default)]
struct Recorded {
    text: String,
    claim: Option<String>,
    uid: Option<String>,
}

impl Recorded {
    fn of(deployment: &Value) -> Option<Self> {
        let text = annotation(deployment, deployment::STORE)?;
        let mut parts = text.strip_prefix("claim/").unwrap_or_default().splitn(2, '/').map(str::to_owned);
        let claim = parts.next().filter(|name| !name.is_empty());
        let place = claim.as_ref().map_or_else(|| text.to_owned(), |name| format!("claim/{name}"));
        Some(Self { text: place, claim, uid: parts.next() })
    }
}

/// Decides for `model`.
pub fn decide(model: &Model, present: Present<'_>) -> Decision {
    let recorded = present.deployment.and_then(Recorded::of);
    let wanted = model.store.to_string();
    match recorded {
        Some(recorded) if recorded.text != wanted && model.wishes.accept_storage() != Some(&wanted) => {
            stay(model, recorded, &wanted, present)
        }
        Some(recorded) if recorded.text == wanted => place(model, Some(&recorded), present),
        Some(_) | None => place(model, None, present),
    }
}

/// The pods keep the store in use.
fn stay(model: &Model, recorded: Recorded, wanted: &str, present: Present<'_>) -> Decision {
    let message = format!(
        "images are in {}, spec.storage says {wanted}: the old store stays in use. Copy the images (for example with \
         crane or skopeo), then set the annotation privateregistry.dev/accept-storage={wanted}, or change spec.storage back",
        recorded.text
    );
    let initialized = used(present.deployment);
    let shared =
        present.deployment.is_some_and(|running| running["spec"]["strategy"]["type"] == "RollingUpdate");
    let store = match recorded.claim {
        Some(name) if name == model.names.data() => Store::OwnClaim(name),
        Some(name) => Store::ExistingClaim(name),
        None => Store::Ephemeral,
    };
    Decision {
        initialize: !initialized,
        placement: Placement { store, uid: recorded.uid, initialized, shared, accepted: done(present) },
        problem: Some(Problem::new(reason::BACKEND_CHANGED, message)),
        ..Decision::default()
    }
}

fn place(model: &Model, recorded: Option<&Recorded>, present: Present<'_>) -> Decision {
    let placement = Placement { store: model.store.clone(), ..Placement::default() };
    let Some(name) = model.store.claim() else { return Decision { placement, ..Decision::default() } };
    let known = recorded.and_then(|recorded| recorded.uid.as_deref());
    let accepted = model.wishes.accept_empty_store();
    let held = |reason, message: String| Decision {
        placement: Placement { uid: known.map(str::to_owned), ..placement.clone() },
        held: true,
        problem: Some(Problem::new(reason, message)),
        ..Decision::default()
    };
    let uid = present.claim.and_then(|claim| claim["metadata"]["uid"].as_str());
    if present.claim.is_some_and(|claim| claim["metadata"]["deletionTimestamp"].is_string()) {
        let message = format!(
            "claim {name} is being deleted: its volume goes with the last pod that uses it. Do not restart the pod; copy \
             the images away first"
        );
        return held(reason::CLAIM_LOST, message);
    }
    match (uid, known) {
        (None, Some(known)) if accepted != Some(known) => held(reason::CLAIM_LOST, lost(name, known)),
        (None, _) if matches!(model.store, Store::ExistingClaim(_)) => {
            let message = format!(
                "spec.storage.filesystem.existingClaimName: there is no claim {name}: make it, or correct the name"
            );
            held(reason::CLAIM_NOT_FOUND, message)
        }
        (None, _) => Decision { placement, claim: true, initialize: true, ..Decision::default() },
        (Some(uid), Some(known)) if uid != known && accepted != Some(uid) && accepted != Some(known) => {
            let message = format!(
                "claim {name} is not the one that holds the images (uid {uid} instead of {known}): bring the old one back, or \
                 set the annotation privateregistry.dev/accept-empty-store={uid} to go on with what it holds"
            );
            held(reason::CLAIM_LOST, message)
        }
        (Some(uid), known) => match too_narrow(model, present.claim) {
            Some(message) => held(reason::ACCESS_MODE_UNSUPPORTED, message),
            None => {
                let initialized = present.claim.is_some_and(initialized)
                    || (known == Some(uid) && used(present.deployment));
                let done = done(present);
                // A value counts once: the next time that the volume comes up empty, somebody has to look.
                let pending = accepted == Some(uid) && done.as_deref() != accepted;
                let works = pending && known == Some(uid) && ready(present.deployment);
                let accepted = if works { accepted.map(str::to_owned) } else { done };
                Decision {
                    placement: Placement {
                        uid: Some(uid.to_owned()),
                        initialized,
                        shared: present.claim.is_some_and(shared),
                        accepted,
                        ..placement
                    },
                    claim: true,
                    initialize: !initialized || (pending && !works),
                    ..Decision::default()
                }
            }
        },
    }
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

/// The value of `accept-empty-store` that was carried out last.
fn done(present: Present<'_>) -> Option<String> {
    annotation(present.deployment?, deployment::ACCEPTED).map(str::to_owned)
}

/// A pod is ready now.
fn ready(deployment: Option<&Value>) -> bool {
    deployment.is_some_and(|deployment| deployment["status"]["readyReplicas"].as_i64().unwrap_or(0) > 0)
}

/// A server has used the store of the Deployment: it said so, or is ready now.
fn used(deployment: Option<&Value>) -> bool {
    deployment.is_some_and(|deployment| {
        annotation(deployment, deployment::INITIALIZED).is_some() || ready(Some(deployment))
    })
}

fn initialized(claim: &Value) -> bool {
    annotation(claim, volume_claim::INITIALIZED).is_some()
}

fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"].get(key)?.as_str()
}
