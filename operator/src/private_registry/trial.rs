//! Whether what the pods are to run was seen to start. The old pods serve until it was.

use kube::api::{DeleteParams, DynamicObject, PostParams, Preconditions};
use serde_json::Value;

use crate::{
    cluster::apply::MANAGER,
    private_registry::{
        apply::Pass,
        desired::trial::{TRIES, needed, trial},
        error::{PassError, unwritten},
        observe::{failed, json_of},
        status::workload::words,
    },
};

/// A trial that has not ended after this long has failed, in seconds: as long as a roll-out may take.
const PATIENCE: i64 = 600;

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It runs; what its pod says, if it says anything.
    Runs(Option<String>),
    /// It cannot start, and why.
    Failed(String),
}

impl Pass<'_> {
    /// Tries what `wanted` would run; none: it may run.
    pub async fn trial(&self, wanted: &Value, live: Option<&Value>) -> Result<Option<Trial>, PassError> {
        if !live.is_some_and(|live| needed(wanted, live)) {
            return Ok(None);
        }
        let pod = trial(self.reader.model, wanted);
        let name = self.reader.model.names.trial();
        let Some(found) = self.reader.object("v1", "Pod", &name).await? else {
            return self.begin(&pod).await;
        };
        if !self.reader.family().has(&found.metadata) {
            let uid = found.metadata.uid.unwrap_or_default();
            return Err(PassError::NameConflict { kind: "Pod".into(), name, uid });
        }
        let found_json = json_of(&found);
        if found_json["metadata"]["annotations"][TRIES] != pod["metadata"]["annotations"][TRIES] {
            self.discard(&found).await?;
            return Ok(Some(Trial::Runs(None)));
        }
        Ok(judged(&found_json, self.reader.now))
    }

    async fn begin(&self, pod: &Value) -> Result<Option<Trial>, PassError> {
        let object: DynamicObject =
            serde_json::from_value(pod.clone()).map_err(|_| PassError::Incomplete("a Pod's spec"))?;
        let params = PostParams { field_manager: Some(MANAGER.into()), ..PostParams::default() };
        let name = self.reader.model.names.trial();
        match self.reader.api("v1", "Pod").create(&params, &object).await {
            Ok(_) => Ok(Some(Trial::Runs(None))),
            Err(error) => match unwritten("Pod", &name, error) {
                refused @ PassError::Refused { .. } => Ok(Some(Trial::Failed(refused.to_string()))),
                other => Err(other),
            },
        }
    }

    /// A pod cannot be changed into one that tries something else.
    async fn discard(&self, pod: &DynamicObject) -> Result<(), PassError> {
        let preconditions = Some(Preconditions { uid: pod.metadata.uid.clone(), ..Preconditions::default() });
        let params = DeleteParams { preconditions, ..DeleteParams::default().grace_period(0) };
        let name = self.reader.model.names.trial();
        match self.reader.api("v1", "Pod").delete(&name, &params).await {
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
            other => other.map(drop).map_err(failed(|| format!("delete Pod {name}"))),
        }
    }
}

/// What the trial's pod came to by `now`.
fn judged(pod: &Value, now: i64) -> Option<Trial> {
    let said = words(std::slice::from_ref(pod)).map(|words| words.message).or_else(|| unscheduled(pod));
    let begun =
        pod["metadata"]["creationTimestamp"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let late = begun.is_some_and(|begun| now - begun.as_second() > PATIENCE);
    match pod["status"]["phase"].as_str() {
        Some("Succeeded") => None,
        Some("Failed") => Some(Trial::Failed(said.unwrap_or_else(|| "its pod ended without a word".into()))),
        _ if late => Some(Trial::Failed(said.unwrap_or_else(|| "its pod does not start".into()))),
        _ => Some(Trial::Runs(said)),
    }
}

/// Why no node takes the pod.
fn unscheduled(pod: &Value) -> Option<String> {
    let conditions = pod["status"]["conditions"].as_array()?;
    let refused = conditions.iter().find(|one| one["type"] == "PodScheduled" && one["status"] == "False")?;
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    Some(format!("pod {name} has no node: {}", refused["message"].as_str().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trial_is_judged_by_its_pod() {
        let pod = |status: Value| json!({"metadata": {"name": "team-trial", "creationTimestamp": "2027-01-15T08:00:00Z"}, "status": status});
        let begun = 1_800_000_000;
        let waiting = json!({"phase": "Pending", "containerStatuses": [{"name": "registry", "ready": false,
            "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}]});
        let ended = |code: i32| {
            json!({"phase": "Failed", "containerStatuses": [{"name": "registry", "ready": false,
                "state": {"terminated": {"exitCode": code, "message": "http.addr: unknown key"}}}]})
        };
        let full = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}]});
        let says = |trial: Option<Trial>, failed: bool, words: &str| match trial {
            Some(Trial::Failed(said)) => failed && said.contains(words),
            Some(Trial::Runs(said)) => !failed && said.unwrap_or_default().contains(words),
            None => false,
        };
        assert_eq!(judged(&pod(json!({"phase": "Succeeded"})), begun + 9000), None);
        assert!(says(judged(&pod(json!({"phase": "Pending"})), begun), false, ""));
        assert!(says(judged(&pod(waiting.clone()), begun + 600), false, "ErrImagePull: not found"));
        assert!(says(judged(&pod(waiting), begun + 601), true, "ErrImagePull: not found"));
        assert!(says(judged(&pod(ended(78)), begun), true, "http.addr: unknown key"));
        assert!(says(judged(&pod(full), begun), false, "0/1 nodes"));
    }
}
