//! Whether what the pods are to run was seen to start. The old pods serve until it was.

use kube::api::{DeleteParams, DynamicObject, PostParams};
use serde_json::Value;

use crate::{
    cluster::apply::MANAGER,
    private_registry::{
        apply::Pass,
        desired::trial::{TRIED, needed, trial},
        error::{PassError, unwritten},
        held::remembered,
        observe::json_of,
        status::pods::{unscheduled, words},
        tried::Trial,
    },
};

/// A trial that has not ended after this long has failed, in seconds: as long as a roll-out may take.
const PATIENCE: i64 = 600;
/// How long a trial waits for room, in seconds. The pod that serves gives up its own when it goes, so a node without room
/// for one more says nothing of the pod that is to follow.
const ROOM: i64 = 30;
/// Exit codes of a container that somebody else ended: SIGKILL, by the node or for its memory, and SIGTERM.
const ENDED_FROM_OUTSIDE: [i64; 2] = [137, 143];

/// What a trial's pod shows.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// What it tries starts, or nothing can be known of it.
    GoOn,
    /// Its end says nothing of what it tries: once more.
    Again,
    /// Not yet, or no.
    Stop(Trial),
}

impl Pass<'_> {
    /// Tries what `wanted` would run; none: it may run.
    pub async fn trial(&self, wanted: &Value, live: Option<&Value>) -> Result<Option<Trial>, PassError> {
        // Pods that somebody has taken away by hand come back: they are to be what was seen to start, too.
        let made =
            live.map(|live| remembered(live, &self.reader.model.owner.uid).unwrap_or_else(|| live.clone()));
        if !made.is_some_and(|made| needed(wanted, &made)) {
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
        let seen = json_of(&found);
        let same = seen["metadata"]["annotations"][TRIED] == pod["metadata"]["annotations"][TRIED];
        match judged(&seen, self.reader.now) {
            _ if !same || found.metadata.deletion_timestamp.is_some() => self.discard(&found).await.map(Some),
            Verdict::Again => self.discard(&found).await.map(Some),
            Verdict::GoOn => Ok(None),
            Verdict::Stop(trial) => Ok(Some(trial)),
        }
    }

    async fn begin(&self, pod: &Value) -> Result<Option<Trial>, PassError> {
        let object: DynamicObject =
            serde_json::from_value(pod.clone()).map_err(|_| PassError::Incomplete("a Pod's spec"))?;
        let params = PostParams { field_manager: Some(MANAGER.into()), ..PostParams::default() };
        let name = self.reader.model.names.trial();
        let Err(error) = self.reader.api("v1", "Pod").create(&params, &object).await else {
            return Ok(Some(Trial::Runs(None)));
        };
        match unwritten("Pod", &name, error) {
            // A quota counts the pod that serves; whether we may make pods says nothing of the image.
            PassError::Refused { said, .. }
                if said.contains("exceeded quota") || said.contains("cannot create resource") =>
            {
                tracing::warn!(name, said, "not tried before pods are replaced");
                Ok(None)
            }
            refused @ PassError::Refused { .. } => Ok(Some(Trial::Failed(refused.to_string()))),
            other => Err(other),
        }
    }

    /// A pod cannot be changed into one that tries something else.
    async fn discard(&self, pod: &DynamicObject) -> Result<Trial, PassError> {
        self.delete("v1", "Pod", pod, DeleteParams::default().grace_period(0)).await?;
        Ok(Trial::Runs(None))
    }
}

/// What the trial's pod came to by `now`. Only its own container counts: others may have been put beside it.
fn judged(pod: &Value, now: i64) -> Verdict {
    let containers = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    let ended = containers
        .filter(|one| one["name"] == "registry")
        .find_map(|one| one["state"]["terminated"]["exitCode"].as_i64());
    let begun =
        pod["metadata"]["creationTimestamp"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let age = begun.map_or(0, |begun| now - begun.as_second());
    let said = words(std::slice::from_ref(pod)).map(|words| words.message);
    match (ended, pod["status"]["phase"].as_str(), unscheduled(pod)) {
        (Some(0), _, _) | (None, Some("Succeeded"), _) => Verdict::GoOn,
        (Some(code), _, _) if ENDED_FROM_OUTSIDE.contains(&code) => Verdict::Again,
        (Some(_), _, _) => Verdict::Stop(Trial::Failed(said.unwrap_or_default())),
        (None, Some("Failed"), _) => Verdict::Again,
        (None, _, Some(full)) if full.contains("Insufficient") || full.contains("Too many pods") => {
            if age > ROOM { Verdict::GoOn } else { Verdict::Stop(Trial::Runs(Some(full))) }
        }
        (None, _, unscheduled) => Verdict::Stop(waiting(unscheduled.or(said), age)),
    }
}

fn waiting(said: Option<String>, age: i64) -> Trial {
    if age > PATIENCE {
        Trial::Failed(said.unwrap_or_else(|| "its pod does not start".into()))
    } else {
        Trial::Runs(said)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: Value) -> Value {
        json!({"metadata": {"name": "team-trial", "creationTimestamp": "2027-01-15T08:00:00Z"}, "status": status})
    }

    fn registry(state: Value) -> Value {
        json!({"name": "registry", "ready": false, "state": state})
    }

    const BEGUN: i64 = 1_800_000_000;

    #[test]
    fn a_trial_is_judged_by_its_own_container() {
        let ended = |code: i32| {
            registry(json!({"terminated": {"exitCode": code, "message": "http.addr: unknown key"}}))
        };
        let sidecar = json!({"name": "proxy", "ready": true, "state": {"running": {}}});
        let judge = |status| judged(&pod(status), BEGUN);
        let done = json!({"phase": "Running", "containerStatuses": [sidecar, ended(0)]});
        assert_eq!(judge(done), Verdict::GoOn, "a sidecar runs on");
        let failed = json!({"phase": "Failed", "containerStatuses": [ended(78)]});
        assert!(
            matches!(judge(failed), Verdict::Stop(Trial::Failed(said)) if said.contains("http.addr: unknown key"))
        );
        for from_outside in [
            json!({"phase": "Failed", "reason": "Evicted"}),
            json!({"phase": "Failed", "containerStatuses": [ended(137)]}),
        ] {
            assert_eq!(judge(from_outside), Verdict::Again);
        }
    }

    #[test]
    fn a_trial_that_waits_says_why_and_not_for_ever() {
        let pulls = json!({"phase": "Pending", "containerStatuses":
            [registry(json!({"waiting": {"reason": "ErrImagePull", "message": "not found"}}))]});
        let unscheduled = |why: &str| json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": why}]});
        let runs = |status: &Value, age: i64, words: &str| matches!(judged(&pod(status.clone()), BEGUN + age), Verdict::Stop(Trial::Runs(said)) if said.clone().unwrap_or_default().contains(words));
        let fails = |status: &Value, age: i64, words: &str| matches!(judged(&pod(status.clone()), BEGUN + age), Verdict::Stop(Trial::Failed(said)) if said.contains(words));
        assert!(
            runs(&json!({"phase": "Pending"}), 0, "")
                && fails(&json!({"phase": "Pending"}), 601, "does not start")
        );
        assert!(
            runs(&pulls, 600, "ErrImagePull: not found") && fails(&pulls, 601, "ErrImagePull: not found")
        );
        let selector =
            unscheduled("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector");
        assert!(runs(&selector, 31, "node affinity") && fails(&selector, 601, "node affinity"));
        let full = unscheduled("0/1 nodes are available: 1 Insufficient cpu");
        assert!(runs(&full, 30, "Insufficient"));
        assert_eq!(
            judged(&pod(full), BEGUN + 31),
            Verdict::GoOn,
            "the pod that serves makes room when it goes"
        );
    }
}
