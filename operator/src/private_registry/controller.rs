//! What is watched, and when an object is looked at again. Only metadata is watched: what a pass needs it reads.

use std::sync::Arc;

use crate::{
    args::Run,
    cluster::{apply::MANAGER, retries::Retries},
    crd::registry::PrivateRegistry,
    private_registry::{
        desired::child::REGISTRY_ANNOTATION,
        error::PassError,
        reconcile::{Context, reconcile},
        resolve::Defaults,
        status::write::{Progress, failed_pass},
    },
};
use futures::StreamExt;
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount},
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
    },
    jiff::Timestamp,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    core::PartialObjectMeta,
    runtime::{
        controller::{Action, Controller},
        events::{Recorder, Reporter},
        reflector::{ObjectRef, Store},
        watcher,
    },
};

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
            defaults: Defaults {
                image: run.registry_image.clone(),
                redis_image: run.redis_image.clone(),
                namespace: run.namespace.clone(),
            },
        },
        retries: Retries::default(),
    };
    let ours = || watcher::Config::default().labels(&format!("app.kubernetes.io/managed-by={MANAGER}"));
    let controller = Controller::new(Api::<PrivateRegistry>::all(client.clone()), watcher::Config::default());
    let registries = controller.store();
    controller
        .owns(metadata::<Deployment>(&client), ours())
        .owns(metadata::<Service>(&client), ours())
        .owns(metadata::<ConfigMap>(&client), ours())
        .owns(metadata::<ServiceAccount>(&client), ours())
        .owns(metadata::<NetworkPolicy>(&client), ours())
        .owns(metadata::<PodDisruptionBudget>(&client), ours())
        // Secrets and claims of the user's have no label of ours.
        .watches(metadata::<Secret>(&client), watcher::Config::default(), {
            let registries = registries.clone();
            move |secret| concerned(&secret, &registries, names_secret)
        })
        .watches(metadata::<PersistentVolumeClaim>(&client), watcher::Config::default(), move |claim| {
            concerned(&claim, &registries, names_claim)
        })
        .run(pass, retry, Arc::new(shared))
        .for_each(|result| async move {
            if let Err(error) = result {
                tracing::debug!(%error, "the queue reports");
            }
        })
        .await;
}

/// Objects of one kind in every namespace, by their metadata.
fn metadata<K>(client: &Client) -> Api<PartialObjectMeta<K>>
where
    K: Resource<DynamicType = ()>,
{
    Api::all(client.clone())
}

/// Registries that an object belongs to or that name it. Kept children have no owner: their annotation names the
/// registry.
fn concerned<K>(
    object: &PartialObjectMeta<K>,
    registries: &Store<PrivateRegistry>,
    names: fn(&PrivateRegistry, &str) -> bool,
) -> Vec<ObjectRef<PrivateRegistry>>
where
    PartialObjectMeta<K>: ResourceExt,
{
    let Some(namespace) = object.namespace() else { return vec![] };
    let name = object.name_any();
    let owner = object.owner_references().iter().find(|owner| owner.kind == "PrivateRegistry");
    let kept = object.annotations().get(REGISTRY_ANNOTATION);
    let mut found: Vec<ObjectRef<PrivateRegistry>> = kept
        .or(owner.map(|owner| &owner.name))
        .map(|registry| ObjectRef::new(registry).within(&namespace))
        .into_iter()
        .collect();
    let users = registries
        .state()
        .into_iter()
        .filter(|registry| registry.namespace().as_ref() == Some(&namespace) && names(registry, &name));
    found.extend(users.map(|registry| ObjectRef::from_obj(registry.as_ref())));
    found
}

fn names_secret(registry: &PrivateRegistry, name: &str) -> bool {
    let spec = &registry.spec;
    let tls =
        spec.tls.as_ref().and_then(|tls| tls.secret_ref.as_ref()).is_some_and(|found| found.name == name);
    let htpasswd = spec.auth.as_ref().and_then(|auth| auth.htpasswd.as_ref());
    let cache =
        spec.cache.as_ref().and_then(|cache| cache.redis.as_ref()).and_then(|redis| redis.external.as_ref());
    let redis = cache.is_some_and(|redis| {
        let client = redis.tls.as_ref().and_then(|tls| tls.client_secret_ref.as_ref());
        redis.credentials_secret_ref.iter().chain(client).any(|found| found.name == name)
    });
    tls || redis
        || htpasswd.is_some_and(|htpasswd| {
            htpasswd.secret_ref.as_ref().is_some_and(|found| found.name == name)
                || htpasswd
                    .users
                    .iter()
                    .filter_map(|user| user.password_secret_ref.as_ref())
                    .any(|found| found.name == name)
        })
}

fn names_claim(registry: &PrivateRegistry, name: &str) -> bool {
    let filesystem = registry.spec.storage.filesystem.as_ref();
    filesystem.and_then(|volume| volume.existing_claim_name.as_ref()).is_some_and(|claim| claim == name)
}

async fn pass(object: Arc<PrivateRegistry>, shared: Arc<Shared>) -> Result<Action, Arc<PassError>> {
    metrics::counter!("preg_passes_total").increment(1);
    if object.metadata.deletion_timestamp.is_some() {
        shared.retries.succeeded(&key(&object));
        return Ok(Action::await_change());
    }
    let now = Timestamp::now().as_second();
    match reconcile(&object, &shared.context, now).await {
        Ok(Progress(again)) => {
            shared.retries.succeeded(&key(&object));
            Ok(Action::requeue(again))
        }
        Err(error) => {
            tracing::warn!(error = ?error, object = key(&object), "a pass failed");
            // An API server that does not answer says nothing about the registry: its status stays.
            if error.concerns_the_object() {
                failed_pass(&object, &shared.context.client, &error, now).await?;
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
