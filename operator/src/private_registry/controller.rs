//! What is watched, and when an object is looked at again.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, Client, ResourceExt,
    runtime::{
        controller::{Action, Controller},
        events::{Recorder, Reporter},
        reflector::ObjectRef,
        watcher,
    },
};

use crate::{
    args::Run,
    cluster::{apply::MANAGER, retries::Retries},
    crd::registry::PrivateRegistry,
    private_registry::{
        desired::child::REGISTRY_ANNOTATION,
        error::PassError,
        reconcile::{Context, reconcile, resolve},
        status,
    },
};

/// An idle registry is looked at this often, for what no watch tells.
const IDLE: Duration = Duration::from_secs(300);
/// One that is on its way is looked at this often.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

struct Shared {
    context: Context,
    retries: Retries,
}

/// Reconciles every object until the process ends.
pub async fn run(client: Client, run: &Run) {
    let reporter = Reporter { controller: MANAGER.into(), instance: Some(run.pod_name.clone()) };
    let shared = Shared {
        context: Context {
            client: client.clone(),
            recorder: Recorder::new(client.clone(), reporter),
            image: run.registry_image.clone(),
            namespace: run.namespace.clone(),
        },
        retries: Retries::default(),
    };
    let ours = || watcher::Config::default().labels(&format!("app.kubernetes.io/managed-by={MANAGER}"));
    Controller::new(Api::<PrivateRegistry>::all(client.clone()), watcher::Config::default())
        .owns(Api::<Deployment>::all(client.clone()), ours())
        .owns(Api::<Service>::all(client.clone()), ours())
        .owns(Api::<ConfigMap>::all(client.clone()), ours())
        .owns(Api::<NetworkPolicy>::all(client.clone()), ours())
        .watches(Api::<Secret>::all(client.clone()), ours(), |secret| registry_of(&secret))
        .watches(Api::<PersistentVolumeClaim>::all(client), ours(), |claim| registry_of(&claim))
        .run(pass, retry, Arc::new(shared))
        .for_each(|result| async move {
            if let Err(error) = result {
                tracing::debug!(%error, "the queue reports");
            }
        })
        .await;
}

/// Kept children have no owner: their annotation names the registry.
fn registry_of<K: ResourceExt>(child: &K) -> Option<ObjectRef<PrivateRegistry>> {
    let named = child.annotations().get(REGISTRY_ANNOTATION);
    let owner = || {
        child.owner_references().iter().find(|owner| owner.kind == "PrivateRegistry").map(|owner| &owner.name)
    };
    Some(ObjectRef::new(named.or_else(owner)?).within(&child.namespace()?))
}

async fn pass(object: Arc<PrivateRegistry>, shared: Arc<Shared>) -> Result<Action, Arc<PassError>> {
    metrics::counter!("preg_passes_total").increment(1);
    if object.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    match reconcile(&object, &shared.context).await {
        Ok(observed) => {
            shared.retries.succeeded(&key(&object));
            Ok(Action::requeue(if observed.rolled_out() { IDLE } else { ON_ITS_WAY }))
        }
        Err(error) => {
            tracing::warn!(error = ?error, object = key(&object), "a pass failed");
            // An API server that does not answer says nothing about the registry: its status stays.
            if matches!(error, PassError::NameConflict { .. }) {
                let model = resolve(&object, &shared.context)?;
                status::write(&object, &model, Err(&error), &shared.context.client).await?;
            }
            Err(Arc::new(error))
        }
    }
}

fn retry(object: Arc<PrivateRegistry>, _: &Arc<PassError>, shared: Arc<Shared>) -> Action {
    metrics::counter!("preg_failed_passes_total").increment(1);
    Action::requeue(shared.retries.failed(&key(&object)))
}

fn key(object: &PrivateRegistry) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}
