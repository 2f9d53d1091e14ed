//! `Available` and `Progressing`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::{
    cluster::deployment::{count, current, past_deadline, replaced, rolled_out},
    crd::condition::{kind, reason},
    private_registry::{
        model::Model,
        status::{observed::Observed, pods::words, verdict::Verdict},
        tried::Trial,
    },
};

/// `Available`: from the Deployment, when it speaks of its current generation; else what was said before.
pub fn available(model: &Model, seen: &Observed, before: &[Condition]) -> Verdict {
    let name = model.names.registry();
    let Some(deployment) = &seen.deployment else {
        return Verdict::no(
            kind::AVAILABLE,
            reason::NO_READY_PODS,
            "no pod was made yet: see the conditions that are False",
        );
    };
    if !current(deployment) {
        return as_before(before).unwrap_or_else(|| {
            let message = format!("Deployment {name} has not been looked at yet");
            Verdict::unknown(kind::AVAILABLE, reason::RECONCILING, message)
        });
    }
    let ready = count(deployment, "readyReplicas");
    if ready > 0 {
        let pods = if ready == 1 { "1 pod answers".to_owned() } else { format!("{ready} pods answer") };
        return Verdict::yes(kind::AVAILABLE, reason::PODS_READY, pods);
    }
    let words = words(&seen.pods)
        .map_or_else(|| format!("see: kubectl describe pods -l {}", selector(model)), |words| words.message);
    Verdict::no(
        kind::AVAILABLE,
        reason::NO_READY_PODS,
        format!("no pod of Deployment {name} is ready; {words}"),
    )
}

fn as_before(before: &[Condition]) -> Option<Verdict> {
    let found = before.iter().find(|one| one.type_ == kind::AVAILABLE)?;
    let known = [reason::PODS_READY, reason::NO_READY_PODS];
    let reason = known.into_iter().find(|reason| *reason == found.reason)?;
    Some(Verdict {
        kind: kind::AVAILABLE,
        state: Some(found.status == "True"),
        reason,
        message: found.message.clone(),
    })
}

/// `Progressing`.
pub fn progressing(model: &Model, seen: &Observed) -> Verdict {
    let Some(deployment) = &seen.deployment else {
        return Verdict::yes(kind::PROGRESSING, reason::CREATING, "no pod was made yet");
    };
    if model.spec.suspend && deployment["spec"]["replicas"] == 0 && rolled_out(deployment) {
        return Verdict::no(kind::PROGRESSING, reason::SUSPENDED, "no pods, as asked");
    }
    if let Some(trial) = &seen.trial {
        return tried(model, trial);
    }
    if seen.after_redis {
        let name = model.names.redis();
        let message = format!("Deployment {name} is replaced first; see: kubectl describe deployment {name}");
        return Verdict::yes(kind::PROGRESSING, reason::ROLLING_OUT, message);
    }
    let message = format!(
        "{} of {} pods run the current settings",
        count(deployment, "updatedReplicas"),
        model.replicas()
    );
    if replaced(deployment) {
        let message = match words(&seen.pods) {
            Some(words) => format!("{message}; {}", words.message),
            None => message,
        };
        return Verdict::no(kind::PROGRESSING, reason::ROLLED_OUT, message);
    }
    if current(deployment) && past_deadline(deployment) {
        let words =
            words(&seen.pods).map_or_else(|| "see: kubectl get pods".to_owned(), |words| words.message);
        let message = format!("{message}; no progress for ten minutes: {words}");
        return Verdict::no(kind::PROGRESSING, reason::ROLLOUT_BLOCKED, message);
    }
    let message = match words(&seen.pods) {
        Some(words) => format!("{message}; {}", words.message),
        None => message,
    };
    Verdict::yes(kind::PROGRESSING, reason::ROLLING_OUT, message)
}

/// The pods are the old ones until what is to replace them was seen to start.
fn tried(model: &Model, trial: &Trial) -> Verdict {
    let image = &model.image;
    match trial {
        Trial::Runs(said) => {
            let said = said.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
            let message = format!("{image} is tried before the pods are replaced{said}");
            Verdict::yes(kind::PROGRESSING, reason::ROLLING_OUT, message)
        }
        Trial::Failed(said) => {
            let message = format!(
                "{image} with these settings was tried and did not start, so the old pods serve on: {said}; see: \
                 kubectl describe pod {}",
                model.names.trial()
            );
            Verdict::no(kind::PROGRESSING, reason::ROLLOUT_BLOCKED, message)
        }
    }
}

/// Labels of the registry's pods, as kubectl takes them.
pub fn selector(model: &Model) -> String {
    let name = &model.names.name;
    format!(
        "app.kubernetes.io/name=privateregistry,app.kubernetes.io/instance={name},app.kubernetes.io/component=registry"
    )
}
