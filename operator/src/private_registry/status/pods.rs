//! What pods say about themselves.

use serde_json::Value;

use crate::{crd::condition::reason, private_registry::error::Problem};

/// Exit code of a server whose configuration or store is at fault.
const CONFIGURATION: i64 = 78;
/// Restarts that are a loop.
const LOOP: i64 = 3;

/// What the first pod that does not run says: why it has no node, why its image is not there, or its last words.
pub fn words(pods: &[Value]) -> Option<Problem> {
    pods.iter().find_map(|pod| {
        let waits = || unscheduled(pod).or_else(|| waiting(pod));
        ending(pod).or_else(|| waits().map(|said| Problem::new(reason::NO_READY_PODS, said)))
    })
}

fn ending(pod: &Value) -> Option<Problem> {
    let status = container(pod)?;
    let end = ended(status)?;
    let code = end["exitCode"].as_i64().unwrap_or_default();
    let said = end["message"].as_str().unwrap_or_default().trim();
    let restarts = status["restartCount"].as_i64().unwrap_or_default();
    let message = format!("pod {} ended with exit code {code} ({restarts} restarts): {said}", name(pod));
    Some(Problem::new(reason::RESTART_LOOP, message))
}

fn waiting(pod: &Value) -> Option<String> {
    let waiting = &container(pod)?["state"]["waiting"];
    let why =
        waiting["reason"].as_str().filter(|why| !["ContainerCreating", "PodInitializing"].contains(why))?;
    Some(format!("pod {}: {why}: {}", name(pod), waiting["message"].as_str().unwrap_or_default()))
}

/// Why no node takes the pod.
pub fn unscheduled(pod: &Value) -> Option<String> {
    let conditions = pod["status"]["conditions"].as_array()?;
    let refused = conditions.iter().find(|one| one["type"] == "PodScheduled" && one["status"] == "False")?;
    Some(format!("pod {} has no node: {}", name(pod), refused["message"].as_str().unwrap_or_default()))
}

fn name(pod: &Value) -> &str {
    pod["metadata"]["name"].as_str().unwrap_or_default()
}

/// A server that ends again and again.
pub fn restart_loop(pods: &[Value]) -> Option<Problem> {
    let looping = |pod: &&Value| {
        container(pod).is_some_and(|status| status["restartCount"].as_i64().unwrap_or_default() >= LOOP)
    };
    let looping: Vec<Value> = pods.iter().filter(looping).cloned().collect();
    words(&looping).filter(|words| words.reason == reason::RESTART_LOOP)
}

/// What a server said that found another store than its own.
pub fn store_refused(pods: &[Value]) -> Option<String> {
    pods.iter().find_map(|pod| {
        let end = ended(container(pod)?)?;
        let said = end["message"].as_str().unwrap_or_default();
        let refused = end["exitCode"].as_i64() == Some(CONFIGURATION) && said.contains("storage.identity");
        refused.then(|| said.trim().to_owned())
    })
}

fn container(pod: &Value) -> Option<&Value> {
    pod["status"]["containerStatuses"].as_array()?.iter().find(|status| status["name"] == "registry")
}

/// How the container ended last, when it does not run well since.
fn ended(status: &Value) -> Option<&Value> {
    if status["ready"] == true {
        return None;
    }
    [&status["state"]["terminated"], &status["lastState"]["terminated"]]
        .into_iter()
        .find(|end| end["exitCode"].as_i64().is_some_and(|code| code != 0))
}
