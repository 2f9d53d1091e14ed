//! What a pass saw.

use serde_json::Value;

use crate::private_registry::{
    certificate::Certificate, credentials::Credentials, observe::Class, placement::Decision, trial::Trial,
};

/// What a pass saw. Objects are JSON, as the cluster has them.
#[derive(Debug, Default)]
pub struct Observed {
    /// The registry's Deployment.
    pub deployment: Option<Value>,
    /// The public Service.
    pub service: Value,
    /// Where clients go while pods stay that the Service is not yet changed for.
    pub url: Option<String>,
    /// The managed Redis' Deployment.
    pub redis: Option<Value>,
    /// The claim of the store.
    pub claim: Option<Value>,
    /// Storage classes, where they matter.
    pub classes: Option<Vec<Class>>,
    /// Why the API server refused to change the claim.
    pub claim_refused: Option<String>,
    /// Pods of the registry, while not all are as they should be.
    pub pods: Vec<Value>,
    /// What comes of trying what the pods are to run, while that is not over.
    pub trial: Option<Trial>,
    /// Which store the pods get.
    pub decision: Decision,
    /// The certificate.
    pub certificate: Certificate,
    /// The accounts.
    pub credentials: Credentials,
    /// What an external Redis answered.
    pub external_redis: Option<crate::private_registry::redis_probe::Answer>,
}

/// A number in a Deployment's status; what is zero is left out there.
pub fn count(deployment: &Value, field: &str) -> i32 {
    deployment["status"][field].as_i64().and_then(|count| i32::try_from(count).ok()).unwrap_or(0)
}

/// The Deployment's status speaks of its current generation.
pub fn current(deployment: &Value) -> bool {
    let observed = deployment["status"]["observedGeneration"].as_i64();
    observed.is_some() && observed == deployment["metadata"]["generation"].as_i64()
}

/// Every wanted pod runs the current template and is ready.
pub fn rolled_out(deployment: &Value) -> bool {
    let wanted = deployment["spec"]["replicas"].as_i64().and_then(|count| i32::try_from(count).ok());
    let all = |field| Some(count(deployment, field)) == wanted;
    current(deployment) && all("updatedReplicas") && all("readyReplicas") && all("replicas")
}
