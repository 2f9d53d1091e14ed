//! All conditions of a pass, and `Ready` from those that bear on it.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};

use crate::{
    crd::{
        condition::{kind, reason},
        registry::PrivateRegistry,
        status::PrivateRegistryStatus,
    },
    private_registry::{
        error::PassError,
        model::Model,
        status::{
            degraded::degraded,
            facts::{facts, url},
            logins::credentials,
            observed::Observed,
            parts,
            pods::store_refused,
            storage::{resizing, storage},
            verdict::Verdict,
            workload::{available, progressing},
        },
    },
};

/// Conditions that make a registry not ready, in the order in which they are named.
const BEARING: [&str; 5] = [
    kind::STORAGE_READY,
    kind::CERTIFICATE_READY,
    kind::CREDENTIALS_READY,
    kind::AVAILABLE,
    kind::EXPOSURE_READY,
];

/// The status of `object` after a pass that saw `seen`.
pub fn compute(object: &PrivateRegistry, model: &Model, seen: &Observed, now: i64) -> PrivateRegistryStatus {
    let refused = store_refused(&seen.pods);
    let before = object.status.clone().unwrap_or_default().conditions;
    let mut verdicts = vec![
        available(model, seen, &before),
        progressing(model, seen),
        storage(model, seen, refused.as_deref(), &before),
        resizing(model, seen),
        parts::certificate(model, seen),
        credentials(model, seen),
        parts::exposure(model, seen),
    ];
    let cache = parts::cache(model, seen);
    let timed = conditions(object, vec![cache.clone()], now);
    let timed = timed.iter().find(|condition| condition.type_ == kind::CACHE_READY);
    verdicts.extend(timed.map(|cache| degraded(seen, cache, &before, now)));
    verdicts.push(cache);
    verdicts.push(ready(model, seen, &verdicts));
    PrivateRegistryStatus {
        observed_generation: object.metadata.generation,
        conditions: conditions(object, verdicts, now),
        ..facts(model, seen)
    }
}

/// `Ready`: the first part that is not.
fn ready(model: &Model, seen: &Observed, parts: &[Verdict]) -> Verdict {
    if model.spec.suspend && seen.held.is_none() {
        let message = "spec.suspend is true: set it to false to serve again";
        return Verdict::no(kind::READY, reason::SUSPENDED, message);
    }
    let broken = BEARING
        .iter()
        .filter_map(|kind| parts.iter().find(|part| part.kind == *kind))
        .find(|part| part.state != Some(true));
    match broken {
        Some(part) => Verdict::no(kind::READY, part.reason, part.message.clone()),
        None => Verdict::yes(kind::READY, reason::ALL_READY, format!("serving at {}", url(model, seen))),
    }
}

/// The status of `object` after a pass that ended in an error of its own.
pub fn failed(object: &PrivateRegistry, error: &PassError, now: i64) -> PrivateRegistryStatus {
    let mut verdicts = vec![Verdict::no(kind::READY, error.reason(), chain(error))];
    if error.reason() == reason::CLAIM_NOT_OURS {
        verdicts.push(Verdict::no(kind::STORAGE_READY, error.reason(), chain(error)));
    }
    let status = over(object, verdicts, now);
    if matches!(error, PassError::CrdOutdated) {
        // Fields that the CRD lacks would be refused again.
        let PrivateRegistryStatus { observed_generation, conditions, .. } = status;
        return PrivateRegistryStatus { observed_generation, conditions, ..PrivateRegistryStatus::default() };
    }
    status
}

/// The status of a registry whose children nobody may write, `ready` of whose pods are ready.
pub fn paused(object: &PrivateRegistry, ready: i32, now: i64) -> PrivateRegistryStatus {
    let message = "the annotation privateregistry.dev/paused stops every write: remove it to go on";
    let available = match ready {
        0 => {
            Verdict::no(kind::AVAILABLE, reason::NO_READY_PODS, "no pod is ready, and the registry is paused")
        }
        _ => Verdict::yes(kind::AVAILABLE, reason::PODS_READY, format!("{ready} pods answer")),
    };
    let old = object.status.clone().unwrap_or_default();
    let others = old.conditions.iter().filter(|one| one.type_ != kind::AVAILABLE && one.status != "True");
    let broken = others.filter(|one| BEARING.contains(&one.type_.as_str()));
    let ready_now = old.conditions.iter().find(|one| one.type_ == kind::READY);
    let mut verdicts = vec![Verdict::no(kind::PROGRESSING, reason::PAUSED, message)];
    // Only what pods decide is known: the rest stays as it was.
    if ready_now.is_some_and(|one| one.reason == reason::SUSPENDED) {
        // That is all that there is to say.
    } else if ready == 0 {
        verdicts.push(Verdict { kind: kind::READY, ..available.clone() });
    } else if ready_now.is_some_and(|one| one.reason == reason::NO_READY_PODS) && broken.count() == 0 {
        let message = format!("serving at {}", old.url.as_deref().unwrap_or_default());
        verdicts.push(Verdict::yes(kind::READY, reason::ALL_READY, message));
    }
    verdicts.push(available);
    PrivateRegistryStatus { ready_replicas: ready, ..over(object, verdicts, now) }
}

/// The status of `object` with some conditions replaced.
pub fn over(object: &PrivateRegistry, verdicts: Vec<Verdict>, now: i64) -> PrivateRegistryStatus {
    PrivateRegistryStatus {
        observed_generation: object.metadata.generation,
        conditions: conditions(object, verdicts, now),
        ..object.status.clone().unwrap_or_default()
    }
}

/// The status of an object that nobody has looked at.
pub fn first(object: &PrivateRegistry, now: i64) -> PrivateRegistryStatus {
    let unknown = |kind| Verdict::unknown(kind, reason::RECONCILING, "the operator is on its first pass");
    over(object, kind::ALL.into_iter().map(unknown).collect(), now)
}

/// All conditions in their order: those of `verdicts`, and the others as they were.
fn conditions(object: &PrivateRegistry, verdicts: Vec<Verdict>, now: i64) -> Vec<Condition> {
    let old = object.status.clone().unwrap_or_default().conditions;
    let now = Timestamp::from_second(now).unwrap_or_default();
    let mut made: Vec<Condition> = verdicts
        .into_iter()
        .map(|verdict| {
            let before = old.iter().find(|condition| condition.type_ == verdict.kind);
            verdict.condition(before, object.metadata.generation, now)
        })
        .collect();
    let others: Vec<Condition> =
        old.iter().filter(|condition| made.iter().all(|one| one.type_ != condition.type_)).cloned().collect();
    made.extend(others);
    made.sort_by_key(|condition| kind::ALL.iter().position(|kind| *kind == condition.type_));
    made
}

/// An error with its causes, for a message.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
