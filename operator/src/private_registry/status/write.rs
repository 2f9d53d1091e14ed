//! The status goes to the cluster when it says something new; conditions that changed become Events.

use std::time::Duration;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    runtime::events::EventType,
};
use serde_json::{Value, json};

use crate::{
    cluster::apply::MANAGER,
    crd::{
        condition::{kind, reason},
        registry::PrivateRegistry,
        status::PrivateRegistryStatus,
    },
    private_registry::{
        apply::Pass,
        error::PassError,
        observe::failed,
        reconcile::Context,
        status::{
            compute,
            degraded::PATIENCE,
            observed::{Observed, count, rolled_out},
            verdict::Verdict,
        },
        tell::{News, tell},
    },
};

/// An idle registry is looked at this often, for what no watch tells.
const IDLE: Duration = Duration::from_secs(300);
/// One that is on its way is looked at this often.
const ON_ITS_WAY: Duration = Duration::from_secs(5);
/// Reasons that a condition passes through while nothing is wrong.
const QUIET: &[&str] = &[
    reason::RECONCILING,
    reason::NO_READY_PODS,
    reason::VOLUME_PENDING,
    reason::LOAD_BALANCER_PENDING,
    reason::NOT_RESIZING,
    reason::AS_EXPECTED,
    reason::ROLLED_OUT,
    reason::SUSPENDED,
    reason::PAUSED,
];

/// When the object wants to be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress(pub Duration);

/// A first status, before anything else is done.
pub async fn announce(object: &PrivateRegistry, client: &Client) -> Result<(), PassError> {
    if object.status.is_some() {
        return Ok(());
    }
    send(object, client, &compute::first(object, Timestamp::now().as_second())).await
}

/// The status after a pass.
pub async fn write(pass: &Pass<'_>, seen: &Observed, now: i64) -> Result<Progress, PassError> {
    let status = compute::compute(pass.object, pass.reader.model, seen, now);
    deliver(pass, &status).await?;
    Ok(next(&status, seen, now))
}

/// The status of a registry whose children nobody may write.
pub async fn paused(pass: &Pass<'_>, deployment: Option<&Value>, now: i64) -> Result<Progress, PassError> {
    let ready = deployment.map_or(0, |deployment| count(deployment, "readyReplicas"));
    let mut verdicts = vec![match ready {
        0 => Verdict::no(kind::AVAILABLE, reason::NO_READY_PODS, "no pod is ready"),
        _ => Verdict::yes(kind::AVAILABLE, reason::PODS_READY, format!("{ready} pods answer")),
    }];
    if ready == 0 {
        verdicts.push(Verdict::no(
            kind::READY,
            reason::NO_READY_PODS,
            "no pod is ready, and the registry is paused",
        ));
    }
    let message = "the annotation privateregistry.dev/paused stops every write: remove it to go on";
    verdicts.push(Verdict::no(kind::PROGRESSING, reason::PAUSED, message));
    let mut status = compute::over(pass.object, verdicts, now);
    status.ready_replicas = ready;
    deliver(pass, &status).await?;
    Ok(Progress(IDLE))
}

/// The status after a pass that ended in an error which concerns the object.
pub async fn failed_pass(
    object: &PrivateRegistry,
    context: &Context,
    error: &PassError,
    now: i64,
) -> Result<(), PassError> {
    let status = compute::failed(object, error, now);
    let before = object
        .status
        .as_ref()
        .and_then(|status| status.conditions.iter().find(|one| one.type_ == kind::READY));
    let known = before.is_some_and(|ready| ready.reason == error.reason());
    if object.status.as_ref() != Some(&status) {
        send(object, &context.client, &status).await?;
    }
    if !known {
        let ready = status.conditions.iter().find(|one| one.type_ == kind::READY);
        let note = ready.map(|ready| ready.message.clone()).unwrap_or_default();
        let news = News { type_: EventType::Warning, reason: error.reason(), note, child: None };
        tell(&context.recorder, object, news).await;
    }
    Ok(())
}

/// The status of an object that does not fit the types of this operator.
pub async fn unreadable(client: &Client, namespace: &str, name: &str, error: &str) -> Result<(), PassError> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), namespace, &ApiResource::erase::<PrivateRegistry>(&()));
    let verdict =
        Verdict::no(kind::READY, reason::INVALID_SPEC, format!("the object cannot be read: {error}"));
    let live = api.get_opt(name).await.map_err(failed(|| format!("read {name}")))?;
    let Some(live) = live else { return Ok(()) };
    let condition = verdict.condition(None, live.metadata.generation, Timestamp::now());
    let told = live.data["status"]["conditions"].as_array().into_iter().flatten();
    if told.clone().any(|one| one["reason"] == reason::INVALID_SPEC && one["message"] == condition.message) {
        return Ok(());
    }
    let patch = json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry",
        "status": {"conditions": [condition]}});
    let sent = api.patch_status(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&patch)).await;
    sent.map(drop).map_err(failed(|| "write the status".into()))
}

async fn deliver(pass: &Pass<'_>, status: &PrivateRegistryStatus) -> Result<(), PassError> {
    if pass.object.status.as_ref() == Some(status) {
        return Ok(());
    }
    send(pass.object, pass.reader.client, status).await?;
    for (type_, reason, message) in news(pass.object.status.as_ref(), status) {
        pass.tell(type_, &reason, message).await;
    }
    Ok(())
}

/// Whether there may be children that nobody wants any more: the object is another one, or its pods were just replaced.
pub fn tidy_needed(object: &PrivateRegistry, done: bool) -> bool {
    let Some(status) = &object.status else { return true };
    let rolling = status.conditions.iter().any(|one| one.type_ == kind::PROGRESSING && one.status != "False");
    // While nobody could write, nothing was tidied either.
    let stuck = [reason::PAUSED, reason::INVALID_SPEC, reason::NAME_CONFLICT, reason::CLAIM_NOT_OURS];
    let stuck = status.conditions.iter().any(|one| stuck.contains(&one.reason.as_str()));
    status.observed_generation != object.metadata.generation || (done && rolling) || stuck
}

/// When to look again: at the next thing that is due, which no watch tells.
pub fn next(status: &PrivateRegistryStatus, seen: &Observed, now: i64) -> Progress {
    let settled = seen.deployment.as_ref().is_some_and(rolled_out) && seen.decision.problem.is_none();
    let cache = status.conditions.iter().find(|one| one.type_ == kind::CACHE_READY && one.status == "False");
    let patience =
        cache.map(|one| one.last_transition_time.0.as_second() + PATIENCE).filter(|due| *due > now);
    let due = [seen.certificate.due, seen.credentials.due, patience].into_iter().flatten().min();
    let until_due = due.map_or(IDLE, |due| Duration::from_secs((due - now).max(1).unsigned_abs()));
    Progress(until_due.min(if settled { IDLE } else { on_its_way(status, now) }))
}

/// What moves is looked at often, what has stood still for long seldom.
fn on_its_way(status: &PrivateRegistryStatus, now: i64) -> Duration {
    let turned = |one: &&Condition| [kind::READY, kind::PROGRESSING].contains(&one.type_.as_str());
    let last =
        status.conditions.iter().filter(turned).map(|one| one.last_transition_time.0.as_second()).max();
    let still = (now - last.unwrap_or(now)).max(0).unsigned_abs();
    Duration::from_secs(still / 10).clamp(ON_ITS_WAY, IDLE)
}

/// Events for conditions that changed: one for each transition.
fn news(
    old: Option<&PrivateRegistryStatus>,
    new: &PrivateRegistryStatus,
) -> Vec<(EventType, String, String)> {
    let before = |type_: &str| {
        old.and_then(|status| status.conditions.iter().find(|condition| condition.type_ == type_))
    };
    let changed =
        |condition: &&Condition| before(&condition.type_).is_none_or(|old| old.reason != condition.reason);
    let mut events = Vec::new();
    for condition in new.conditions.iter().filter(changed) {
        let was = before(&condition.type_);
        let worse = if condition.type_ == kind::DEGRADED { "True" } else { "False" };
        let bad = condition.status == worse && !QUIET.contains(&condition.reason.as_str());
        // A cache that is not there yet is no loss; when it stays away, Degraded says so.
        let fresh = condition.reason == reason::UNREACHABLE && was.is_none_or(|old| old.status != "True");
        let lost = condition.reason == reason::NO_READY_PODS && was.is_some_and(|old| old.status == "True");
        // Ready repeats the reason of the part that is broken.
        if (bad || lost) && !fresh && condition.type_ != kind::READY {
            events.push((EventType::Warning, condition.reason.clone(), condition.message.clone()));
        }
        let from = was.map(|old| old.reason.as_str());
        match (condition.type_.as_str(), from, condition.reason.as_str()) {
            (kind::PROGRESSING, Some(reason::ROLLING_OUT), reason::ROLLED_OUT) => {
                events.push((EventType::Normal, reason::ROLLED_OUT.into(), condition.message.clone()));
            }
            (kind::READY, Some(reason::SUSPENDED), _) => {
                events.push((EventType::Normal, "Resumed".into(), "pods are made again".into()));
            }
            (
                kind::VOLUME_RESIZING,
                Some(reason::RESIZING | reason::FILE_SYSTEM_RESIZE_PENDING),
                reason::NOT_RESIZING,
            ) => {
                events.push((EventType::Normal, "VolumeResized".into(), condition.message.clone()));
            }
            _ => {}
        }
    }
    events
}

/// Sends the status. An older CRD refuses fields that it does not declare.
async fn send(
    object: &PrivateRegistry,
    client: &Client,
    status: &PrivateRegistryStatus,
) -> Result<(), PassError> {
    let namespace = object.namespace().ok_or(PassError::Incomplete("a namespace"))?;
    let api: Api<PrivateRegistry> = Api::namespaced(client.clone(), &namespace);
    let patch =
        json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry", "status": status});
    let sent = api
        .patch_status(&object.name_any(), &PatchParams::apply(MANAGER).force(), &Patch::Apply(&patch))
        .await;
    match sent {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(refused)) if refused.message.contains("field not declared in schema") => {
            Err(PassError::CrdOutdated)
        }
        Err(error) => Err(failed(|| "write the status".into())(error)),
    }
}
