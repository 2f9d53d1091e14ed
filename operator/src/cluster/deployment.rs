//! What a Deployment says of its roll-out, and of its pods. Objects are JSON, as the cluster has them.

use serde_json::Value;

/// A number in a Deployment's status; what is zero is left out there.
pub fn count(deployment: &Value, field: &str) -> i32 {
    deployment["status"][field].as_i64().and_then(|count| i32::try_from(count).ok()).unwrap_or(0)
}

/// The ConfigMap that its pods mount as this volume.
pub fn mounted_map<'a>(deployment: &'a Value, volume: &str) -> Option<&'a str> {
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array()?;
    volumes.iter().find(|found| found["name"] == volume)?["configMap"]["name"].as_str()
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
