//! When a registry is looked at again, and when it is tidied.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::{
    cluster::deployment::rolled_out,
    crd::{
        condition::{kind, reason},
        registry::PrivateRegistry,
        status::PrivateRegistryStatus,
    },
    private_registry::status::{degraded::PATIENCE, observed::Observed},
};

/// An idle registry is looked at this often, for what no watch tells.
pub const IDLE: Duration = Duration::from_secs(300);
/// A Redis of the user's tells nobody that it goes or comes back, and no watch tells that the way to ours is free again.
const ASKED: Duration = Duration::from_secs(60);
/// What is tried has started within moments.
const ON_TRIAL: Duration = Duration::from_secs(1);
/// One that is on its way is looked at this often.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// When the object wants to be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress(pub Duration);

/// Whether there may be children that nobody wants any more: the object is another one, or its pods were just replaced.
pub fn tidy_needed(object: &PrivateRegistry, done: bool) -> bool {
    let Some(status) = &object.status else { return true };
    let rolling = status.conditions.iter().any(|one| one.type_ == kind::PROGRESSING && one.status != "False");
    // While nobody could write, nothing was tidied either.
    let stuck = [
        reason::ROLLOUT_BLOCKED,
        reason::PAUSED,
        reason::INVALID_SPEC,
        reason::NAME_CONFLICT,
        reason::CLAIM_NOT_OURS,
    ];
    let stuck = status.conditions.iter().any(|one| stuck.contains(&one.reason.as_str()));
    status.observed_generation != object.metadata.generation || (done && rolling) || stuck
}

/// When to look again: at the next thing that is due, which no watch tells.
pub fn next(status: &PrivateRegistryStatus, seen: &Observed, now: i64) -> Progress {
    let settled = seen.deployment.as_ref().is_some_and(rolled_out)
        && seen.decision.problem.is_none()
        && seen.trial.is_none()
        && !seen.after_redis;
    let least = if seen.trial.is_some() { ON_TRIAL } else { ON_ITS_WAY };
    let cache = status.conditions.iter().find(|one| one.type_ == kind::CACHE_READY && one.status == "False");
    let patience =
        cache.map(|one| one.last_transition_time.0.as_second() + PATIENCE).filter(|due| *due > now);
    let due = [seen.certificate.due, seen.credentials.due, patience, calm(status).filter(|due| *due > now)]
        .into_iter()
        .flatten()
        .min();
    let until_due = due.map_or(IDLE, |due| Duration::from_secs((due - now).max(1).unsigned_abs()));
    let reached = seen.told.as_ref().and_then(|told| told.redis);
    let idle = match (&seen.external_redis, reached) {
        (Some(_), _) => ASKED,
        // The registry speaks to it again within seconds, most often.
        (None, Some(false)) => since(status, &[kind::CACHE_READY], now).clamp(ON_ITS_WAY, ASKED),
        // Who waits for a name of another's is told when it is free. What a watch missed costs a minute.
        (None, _) if seen.hostname_taken.is_some() => ASKED,
        (None, _) => IDLE,
    };
    Progress(until_due.min(if settled { idle } else { on_its_way(status, now, least) }))
}

/// When a server that was in a loop has been up for long enough.
fn calm(status: &PrivateRegistryStatus) -> Option<i64> {
    let find = |kind: &str| status.conditions.iter().find(|one| one.type_ == kind);
    find(kind::DEGRADED).filter(|one| one.reason == reason::RESTART_LOOP)?;
    let up = find(kind::AVAILABLE).filter(|one| one.status == "True")?;
    Some(up.last_transition_time.0.as_second() + PATIENCE)
}

/// What moves is looked at often, what has stood still for long seldom.
fn on_its_way(status: &PrivateRegistryStatus, now: i64, least: Duration) -> Duration {
    since(status, &[kind::READY, kind::PROGRESSING], now).clamp(least, IDLE)
}

/// A tenth of the time in which none of these conditions has turned.
fn since(status: &PrivateRegistryStatus, kinds: &[&str], now: i64) -> Duration {
    let turned = |one: &&Condition| kinds.contains(&one.type_.as_str());
    let last =
        status.conditions.iter().filter(turned).map(|one| one.last_transition_time.0.as_second()).max();
    let still = (now - last.unwrap_or(now)).max(0).unsigned_abs();
    Duration::from_secs(still / 10)
}
