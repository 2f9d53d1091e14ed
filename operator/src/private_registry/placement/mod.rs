//! Which store the pods get. A store that holds images is never left for another one without a word from the user.

mod claimed;
mod recorded;

use serde_json::Value;

use crate::{
    crd::condition::reason,
    private_registry::{
        desired::deployment::Placement,
        error::Problem,
        model::{Model, Store},
        placement::{
            claimed::place,
            recorded::{Recorded, done, used},
        },
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
