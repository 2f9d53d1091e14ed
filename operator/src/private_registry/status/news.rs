//! Conditions that changed become Events.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::EventType;

use crate::crd::{
    condition::{kind, reason},
    status::PrivateRegistryStatus,
};

/// Reasons that a condition passes through while nothing is wrong.
const QUIET: &[&str] = &[
    reason::RECONCILING,
    reason::NO_READY_PODS,
    reason::VOLUME_PENDING,
    reason::LOAD_BALANCER_PENDING,
    reason::HOSTNAME_TAKEN,
    reason::NOT_RESIZING,
    reason::AS_EXPECTED,
    reason::ROLLED_OUT,
    reason::SUSPENDED,
    reason::PAUSED,
];

/// An Event's type, reason and note.
type News = (EventType, String, String);

/// Events for conditions that changed: one for each transition.
pub fn news(old: Option<&PrivateRegistryStatus>, new: &PrivateRegistryStatus) -> Vec<News> {
    let before = |type_: &str| {
        old.and_then(|status| status.conditions.iter().find(|condition| condition.type_ == type_))
    };
    let mut events = Vec::new();
    for condition in &new.conditions {
        let was = before(&condition.type_);
        if was.is_none_or(|was| was.reason != condition.reason) {
            events.extend(trouble(was, condition).filter(|_| !asked_for(condition, new)));
            events.extend(relief(was, condition));
        }
    }
    events
}

/// Pods that are not there because the user wants none.
fn asked_for(condition: &Condition, new: &PrivateRegistryStatus) -> bool {
    let suspended = |one: &Condition| one.type_ == kind::READY && one.reason == reason::SUSPENDED;
    condition.reason == reason::NO_READY_PODS && new.conditions.iter().any(suspended)
}

/// What is worse than before.
fn trouble(was: Option<&Condition>, condition: &Condition) -> Option<News> {
    let worse = if condition.type_ == kind::DEGRADED { "True" } else { "False" };
    let bad = condition.status == worse && !QUIET.contains(&condition.reason.as_str());
    let worked = was.is_some_and(|was| was.status == "True");
    // A cache that is not there yet is no loss; when it stays away, Degraded says so.
    let fresh = condition.reason == reason::UNREACHABLE && !worked;
    let lost = condition.reason == reason::NO_READY_PODS && worked;
    // Ready repeats the reason of the part that is broken.
    let told = (bad || lost) && !fresh && condition.type_ != kind::READY;
    told.then(|| (EventType::Warning, condition.reason.clone(), condition.message.clone()))
}

/// What was waited for.
fn relief(was: Option<&Condition>, condition: &Condition) -> Option<News> {
    let (reason, note) = match (condition.type_.as_str(), was?.reason.as_str(), condition.reason.as_str()) {
        (kind::PROGRESSING, reason::ROLLING_OUT, reason::ROLLED_OUT) => {
            (reason::ROLLED_OUT, condition.message.clone())
        }
        (kind::READY, reason::SUSPENDED, _) => ("Resumed", "pods are made again".into()),
        (
            kind::VOLUME_RESIZING,
            reason::RESIZING | reason::FILE_SYSTEM_RESIZE_PENDING,
            reason::NOT_RESIZING,
        ) => ("VolumeResized", condition.message.clone()),
        _ => return None,
    };
    Some((EventType::Normal, reason.into(), note))
}
