//! Status: a pure function of what was applied and read, written only when it differs.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::json;

use crate::{
    cluster::apply::MANAGER,
    crd::{
        condition::{kind, reason},
        registry::PrivateRegistry,
        status::{
            AccountsStatus, CaBundle, CertificateStatus, PrivateRegistryStatus, StorageStatus, Versions,
        },
    },
    private_registry::{error::PassError, issue::Facts, model::Model},
};

/// What a pass saw of the children.
pub struct Observed {
    /// The Deployment as the cluster has it.
    pub deployment: DynamicObject,
    /// The claim, where there is one.
    pub claim: Option<DynamicObject>,
    /// The certificate that is served.
    pub facts: Facts,
}

impl Observed {
    fn count(&self, field: &str) -> i32 {
        self.deployment.data["status"][field]
            .as_i64()
            .and_then(|count| i32::try_from(count).ok())
            .unwrap_or(0)
    }

    /// The Deployment's status speaks of its current generation.
    fn current(&self) -> bool {
        self.deployment.data["status"]["observedGeneration"].as_i64() == self.deployment.metadata.generation
    }

    /// Every wanted pod runs the current template and is ready.
    pub fn rolled_out(&self) -> bool {
        let wanted = self.deployment.data["spec"]["replicas"].as_i64().and_then(|n| i32::try_from(n).ok());
        let all = |field| Some(self.count(field)) == wanted;
        self.current() && all("updatedReplicas") && all("readyReplicas") && all("replicas")
    }

    fn bound(&self) -> bool {
        self.claim.as_ref().is_none_or(|claim| claim.data["status"]["phase"] == "Bound")
    }
}

/// One condition before it has a time.
struct Verdict(&'static str, Option<bool>, &'static str, String);

/// Conditions of a pass, Ready last.
fn verdicts(model: &Model, seen: Result<&Observed, &PassError>) -> Vec<Verdict> {
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return vec![Verdict(kind::READY, Some(false), error.reason(), chain(error))],
    };
    let mut all = vec![
        storage(model, seen),
        Verdict(
            kind::CERTIFICATE_READY,
            Some(true),
            reason::ISSUED,
            "signed by the registry's own CA".into(),
        ),
        Verdict(
            kind::CREDENTIALS_READY,
            Some(true),
            reason::ACCOUNTS_READY,
            "admin, and preg-pull for pulls".into(),
        ),
        available(model, seen),
        progressing(model, seen),
    ];
    let bearing = [kind::STORAGE_READY, kind::CERTIFICATE_READY, kind::CREDENTIALS_READY, kind::AVAILABLE];
    let broken = all.iter().find(|Verdict(kind, state, ..)| bearing.contains(kind) && *state != Some(true));
    let ready = match broken {
        _ if model.spec.suspend => Verdict(
            kind::READY,
            Some(false),
            reason::SUSPENDED,
            "spec.suspend is true: set it to false to serve again".into(),
        ),
        Some(Verdict(_, _, why, message)) => Verdict(kind::READY, Some(false), why, message.clone()),
        None => Verdict(kind::READY, Some(true), reason::ALL_READY, format!("serving at {}", model.url())),
    };
    all.push(ready);
    all
}

fn storage(model: &Model, seen: &Observed) -> Verdict {
    let (state, why, message) = match (&seen.claim, seen.bound()) {
        (None, _) => (true, reason::VOLUME_BOUND, "images live as long as their pod".into()),
        (Some(_), true) => (true, reason::VOLUME_BOUND, format!("claim {} is bound", model.names.data())),
        (Some(_), false) => {
            let class =
                model.spec.storage.filesystem.as_ref().and_then(|volume| volume.storage_class_name.clone());
            let class =
                class.map_or("the default storage class".into(), |class| format!("storage class {class:?}"));
            let claim = model.names.data();
            let look =
                format!("claim {claim} waits for a volume of {class}; see: kubectl describe pvc {claim}");
            (false, reason::VOLUME_PENDING, look)
        }
    };
    Verdict(kind::STORAGE_READY, Some(state), why, message)
}

fn available(model: &Model, seen: &Observed) -> Verdict {
    let ready = seen.count("readyReplicas");
    let deployment = model.names.registry();
    if !seen.current() {
        let waiting = format!("Deployment {deployment} has not been looked at yet");
        return Verdict(kind::AVAILABLE, None, reason::RECONCILING, waiting);
    }
    if ready > 0 {
        return Verdict(kind::AVAILABLE, Some(true), reason::PODS_READY, format!("{ready} pods answer"));
    }
    let look = format!(
        "no pod of Deployment {deployment} is ready; see: kubectl describe pods -l {}",
        selector(model)
    );
    Verdict(kind::AVAILABLE, Some(false), reason::NO_READY_PODS, look)
}

fn progressing(model: &Model, seen: &Observed) -> Verdict {
    let (state, why) = match (model.spec.suspend, seen.rolled_out()) {
        (true, _) => (false, reason::SUSPENDED),
        (false, true) => (false, reason::ROLLED_OUT),
        (false, false) => (true, reason::ROLLING_OUT),
    };
    let message =
        format!("{} of {} pods run the current settings", seen.count("updatedReplicas"), model.replicas());
    Verdict(kind::PROGRESSING, Some(state), why, message)
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

fn selector(model: &Model) -> String {
    let name = &model.names.name;
    format!(
        "app.kubernetes.io/name=privateregistry,app.kubernetes.io/instance={name},app.kubernetes.io/component=registry"
    )
}

fn timestamp(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

/// The status of `object`; conditions whose state stays keep their time of transition.
pub fn compute(
    object: &PrivateRegistry,
    model: &Model,
    seen: Result<&Observed, &PassError>,
    now: Timestamp,
) -> PrivateRegistryStatus {
    let old = object.status.clone().unwrap_or_default();
    let mut status = match seen {
        Ok(seen) => facts(model, seen),
        Err(_) => old.clone(),
    };
    status.observed_generation = object.metadata.generation;
    for Verdict(type_, state, reason, message) in verdicts(model, seen) {
        let state = state.map_or("Unknown", |state| if state { "True" } else { "False" });
        let before = old.conditions.iter().find(|condition| condition.type_ == type_);
        let kept = before
            .filter(|condition| condition.status == state)
            .map(|condition| condition.last_transition_time.clone());
        status.conditions.retain(|condition| condition.type_ != type_);
        status.conditions.push(Condition {
            type_: type_.into(),
            status: state.into(),
            reason: reason.into(),
            message,
            observed_generation: object.metadata.generation,
            last_transition_time: kept.unwrap_or(Time(now)),
        });
    }
    status
}

fn facts(model: &Model, seen: &Observed) -> PrivateRegistryStatus {
    let names = &model.names;
    let location = model.spec.storage.filesystem.as_ref().map(|_| names.data());
    let backend = if location.is_some() { "filesystem" } else { "ephemeral" };
    PrivateRegistryStatus {
        url: Some(model.url()),
        replicas: seen.count("replicas"),
        ready_replicas: seen.count("readyReplicas"),
        selector: Some(selector(model)),
        ca_bundle: Some(CaBundle { config_map_name: names.trust(), key: "ca.crt".into() }),
        certificate: Some(CertificateStatus {
            secret_name: names.tls(),
            dns_names: seen.facts.names.clone(),
            not_after: timestamp(seen.facts.not_after),
            renewal_time: timestamp(seen.facts.renewal()),
        }),
        accounts: Some(AccountsStatus {
            admin_secret_name: names.user("admin"),
            pull_secret_name: names.pull(),
        }),
        storage: Some(StorageStatus { backend: backend.into(), location }),
        versions: Some(Versions { operator: env!("CARGO_PKG_VERSION").into(), image: model.image.clone() }),
        ..PrivateRegistryStatus::default()
    }
}

/// Sends the status when it says something new.
pub async fn write(
    object: &PrivateRegistry,
    model: &Model,
    seen: Result<&Observed, &PassError>,
    client: &Client,
) -> Result<(), PassError> {
    let status = compute(object, model, seen, Timestamp::now());
    if object.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let api: Api<PrivateRegistry> = Api::namespaced(client.clone(), &model.names.namespace);
    let patch =
        json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry", "status": status});
    let sent = api
        .patch_status(&object.name_any(), &PatchParams::apply(MANAGER).force(), &Patch::Apply(&patch))
        .await;
    sent.map(drop)
        .map_err(|source| PassError::Cluster { what: "write the status".into(), source: Box::new(source) })
}
