//! `StorageReady` and `VolumeResizing`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::Value;

use crate::{
    cluster::{deployment::count, quantity::amount},
    crd::condition::{kind, reason},
    private_registry::{
        error::Problem,
        model::Model,
        observe::Class,
        server_probe::Trouble,
        status::{observed::Observed, verdict::Verdict},
    },
};

/// `StorageReady`. `refused` is what a server said about a store that is not its own.
pub fn storage(model: &Model, seen: &Observed, refused: Option<&str>, before: &[Condition]) -> Verdict {
    if let Some(problem) = &seen.decision.problem {
        return Verdict::problem(kind::STORAGE_READY, problem);
    }
    if let Some(said) = refused {
        let uid = seen.decision.placement.uid.as_deref().unwrap_or_default();
        let message = format!(
            "{said} If the volume is right all the same, set the annotation privateregistry.dev/accept-empty-store={uid}"
        );
        return Verdict::no(kind::STORAGE_READY, reason::STORE_MISMATCH, message);
    }
    if let Some(verdict) = troubled(model, seen, before) {
        return verdict;
    }
    let Some(name) = model.store.claim() else {
        return Verdict::yes(kind::STORAGE_READY, reason::VOLUME_BOUND, "images live as long as their pod");
    };
    match seen.claim.as_ref().map(|claim| claim["status"]["phase"].as_str().unwrap_or_default()) {
        Some("Bound") => {
            Verdict::yes(kind::STORAGE_READY, reason::VOLUME_BOUND, format!("claim {name} is bound"))
        }
        Some("Lost") => {
            let message =
                format!("claim {name} has lost its volume: bring the volume back, or restore a backup");
            Verdict::no(kind::STORAGE_READY, reason::CLAIM_LOST, message)
        }
        Some(_) | None => match no_class(seen) {
            Some(problem) => Verdict::problem(kind::STORAGE_READY, &problem),
            None => {
                let message = format!("claim {name} waits for a volume; see: kubectl describe pvc {name}");
                Verdict::no(kind::STORAGE_READY, reason::VOLUME_PENDING, message)
            }
        },
    }
}

/// What a registry that is up says of its store. While none is ready, and none says anything, what was said last holds. A
/// claim that has lost its volume says why by itself.
fn troubled(model: &Model, seen: &Observed, before: &[Condition]) -> Option<Verdict> {
    if seen.claim.as_ref().is_some_and(|claim| claim["status"]["phase"] == "Lost") {
        return None;
    }
    let last = || {
        let said = before.iter().find(|one| one.type_ == kind::STORAGE_READY)?;
        let away = seen.deployment.as_ref().is_some_and(|pods| count(pods, "readyReplicas") == 0);
        match said.reason.as_str() {
            reason::STORE_UNAVAILABLE if away => Some(Trouble::Away),
            reason::STORE_MISMATCH if away && !seen.pods.is_empty() => Some(Trouble::Wrong),
            _ => None,
        }
    };
    let trouble = match &seen.told {
        Some(told) => told.trouble,
        None => last(),
    };
    trouble.map(|trouble| said(model, seen, trouble))
}

fn said(model: &Model, seen: &Observed, trouble: Trouble) -> Verdict {
    let place = model.store.claim().map_or_else(|| "its node".to_owned(), |name| format!("claim {name}"));
    match trouble {
        Trouble::Wrong => {
            let uid = seen.decision.placement.uid.as_deref().unwrap_or_default();
            let message = format!(
                "a pod finds another store on {place} than the one it had, and nothing is served from it: mend the mount, \
                 and it serves again. If the volume is right all the same, set the annotation \
                 privateregistry.dev/accept-empty-store={uid}"
            );
            Verdict::no(kind::STORAGE_READY, reason::STORE_MISMATCH, message)
        }
        Trouble::Away => {
            let message = format!(
                "the store on {place} is gone or does not answer; it serves again when the store is back. See: kubectl \
                 logs deployment/{}",
                model.names.registry()
            );
            Verdict::no(kind::STORAGE_READY, reason::STORE_UNAVAILABLE, message)
        }
    }
}

/// The claim waits for a storage class that is not there.
fn no_class(seen: &Observed) -> Option<Problem> {
    let (claim, classes) = (seen.claim.as_ref()?, seen.classes.as_ref()?);
    let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).take(10).collect();
    let there = if names.is_empty() {
        "there are none".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    };
    let message = match claim["spec"]["storageClassName"].as_str() {
        // The empty class means volumes that are there already.
        Some(wanted) if !wanted.is_empty() && classes.iter().all(|class| class.name != wanted) => {
            format!(
                "there is no storage class {wanted:?} ({there}): make it, or make the registry anew with another one"
            )
        }
        None if !classes.iter().any(|class| class.default) => {
            format!(
                "the cluster has no default storage class ({there}): mark one as default, or make the registry anew with storageClassName"
            )
        }
        Some(_) | None => return None,
    };
    Some(Problem::new(reason::STORAGE_CLASS_NOT_FOUND, message))
}

/// `VolumeResizing`.
pub fn resizing(model: &Model, seen: &Observed) -> Verdict {
    let wanted = model.spec.storage.filesystem.as_ref().and_then(|volume| volume.size.as_ref());
    let (Some(claim), Some(wanted)) = (&seen.claim, wanted) else {
        return Verdict::no(kind::VOLUME_RESIZING, reason::NOT_RESIZING, "the volume has no size to follow");
    };
    let reported = |type_: &str| condition(claim, type_);
    let requested = claim["spec"]["resources"]["requests"]["storage"].as_str().unwrap_or_default();
    let capacity = claim["status"]["capacity"]["storage"].as_str().unwrap_or_default();
    if amount(requested) < amount(&wanted.0) && claim["status"]["phase"] == "Bound" {
        let class = claim["spec"]["storageClassName"].as_str().unwrap_or_default();
        if fixed(seen.classes.as_deref(), class) {
            let message = format!(
                "storage class {class:?} cannot grow volumes (allowVolumeExpansion): the volume stays at {requested}"
            );
            return Verdict::no(kind::VOLUME_RESIZING, reason::EXPANSION_NOT_SUPPORTED, message);
        }
    }
    if let Some(said) = &seen.claim_refused {
        let message = format!("the claim stays as it is, the cluster refuses the change: {said}");
        return Verdict::no(kind::VOLUME_RESIZING, reason::EXPANSION_FAILED, message);
    }
    if let Some(message) = reported("ControllerResizeError").or_else(|| reported("NodeResizeError")) {
        return Verdict::no(kind::VOLUME_RESIZING, reason::EXPANSION_FAILED, message);
    }
    if reported("FileSystemResizePending").is_some() {
        let message = format!("the volume has {requested}; its file system grows when a pod next mounts it");
        return Verdict::yes(kind::VOLUME_RESIZING, reason::FILE_SYSTEM_RESIZE_PENDING, message);
    }
    if claim["status"]["phase"] == "Bound" && amount(capacity) < amount(requested) {
        let message = format!("growing from {capacity} to {requested}");
        return Verdict::yes(kind::VOLUME_RESIZING, reason::RESIZING, message);
    }
    Verdict::no(kind::VOLUME_RESIZING, reason::NOT_RESIZING, "the volume has the size that was asked for")
}

fn fixed(classes: Option<&[Class]>, name: &str) -> bool {
    classes.is_some_and(|classes| !classes.iter().any(|class| class.name == name && class.expandable))
}

fn condition(claim: &Value, type_: &str) -> Option<String> {
    let conditions = claim["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|one| one["type"] == type_ && one["status"] == "True")?;
    Some(found["message"].as_str().unwrap_or_default().to_owned())
}
