//! What the Deployment and the claim remember about the store.

use serde_json::Value;

use crate::{
    cluster::deployment::{count, only_new},
    private_registry::{
        desired::{deployment, volume_claim},
        placement::Present,
    },
};

/// The store in use, as the Deployment records it.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Which store: `ephemeral` or `claim/<name>`.
    pub text: String,
    /// Its claim.
    pub claim: Option<String>,
    /// That claim's uid.
    pub uid: Option<String>,
}

impl Recorded {
    /// What `deployment` records, if it does.
    pub fn of(deployment: &Value) -> Option<Self> {
        let text = annotation(deployment, deployment::STORE)?;
        let mut parts = text.strip_prefix("claim/").unwrap_or_default().splitn(2, '/').map(str::to_owned);
        let claim = parts.next().filter(|name| !name.is_empty());
        let place = claim.as_ref().map_or_else(|| text.to_owned(), |name| format!("claim/{name}"));
        Some(Self { text: place, claim, uid: parts.next() })
    }
}

/// The value of `accept-empty-store` that was carried out last.
pub fn done(present: Present<'_>) -> Option<String> {
    annotation(present.deployment?, deployment::ACCEPTED).map(str::to_owned)
}

/// A pod that uses the store of the Deployment is ready now. One of an earlier template may use another.
pub fn ready(deployment: Option<&Value>) -> bool {
    deployment.is_some_and(|deployment| only_new(deployment) && count(deployment, "readyReplicas") > 0)
}

/// A server has used the store of the Deployment: it said so, or is ready now.
pub fn used(deployment: Option<&Value>) -> bool {
    deployment.is_some_and(|deployment| {
        annotation(deployment, deployment::INITIALIZED).is_some() || ready(Some(deployment))
    })
}

/// A server has used the claim's volume.
pub fn initialized(claim: &Value) -> bool {
    annotation(claim, volume_claim::INITIALIZED).is_some()
}

fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"].get(key)?.as_str()
}
