//! What a pass saw.

use serde_json::Value;

use crate::{
    crd::status::PrivateRegistryStatus,
    private_registry::{
        certificate::Certificate, credentials::Credentials, observe::Class, placement::Decision, trial::Trial,
    },
};

/// What a pass saw. Objects are JSON, as the cluster has them.
#[derive(Debug, Default)]
pub struct Observed {
    /// The registry's Deployment.
    pub deployment: Option<Value>,
    /// The public Service.
    pub service: Value,
    /// What was said before, while the pods and what leads to them stay as they are.
    pub held: Option<PrivateRegistryStatus>,
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
    /// What the pods are to run waits for Redis to be replaced.
    pub after_redis: bool,
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
    only_new(deployment) && Some(count(deployment, "readyReplicas")) == wanted(deployment)
}

/// The roll-out is over, whatever became of the new pods since.
pub fn replaced(deployment: &Value) -> bool {
    let over = progress(deployment).is_some_and(|progress| progress["reason"] == "NewReplicaSetAvailable");
    only_new(deployment) && (over || rolled_out(deployment))
}

/// No pod is there but those of the current template.
pub fn only_new(deployment: &Value) -> bool {
    let all = |field| Some(count(deployment, field)) == wanted(deployment);
    current(deployment) && all("updatedReplicas") && all("replicas")
}

fn wanted(deployment: &Value) -> Option<i32> {
    deployment["spec"]["replicas"].as_i64().and_then(|count| i32::try_from(count).ok())
}

fn progress(deployment: &Value) -> Option<&Value> {
    let conditions = deployment["status"]["conditions"].as_array()?;
    conditions.iter().find(|one| one["type"] == "Progressing")
}

/// A roll-out that got no further for as long as it may take.
pub fn past_deadline(deployment: &Value) -> bool {
    progress(deployment)
        .is_some_and(|one| one["status"] == "False" && one["reason"] == "ProgressDeadlineExceeded")
}
