//! What is watched, and when an object is looked at again. Only metadata is watched: what a pass needs it reads.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    args::Run,
    cluster::{apply::MANAGER, retries::Retries},
    crd::registry::PrivateRegistry,
    private_registry::{
        context::Context,
        error::PassError,
        hostnames::Registries,
        model::Wishes,
        observe::failed,
        reconcile::reconcile,
        resolve::Defaults,
        status::{
            pace::Progress,
            write::{announced, failed_pass, unreadable},
        },
        usage::Usages,
        wakes::{Watched, names_bundle, names_claim, names_secret, nobody, wakes},
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
    core::{DynamicObject, NamespaceResourceScope, PartialObjectMeta},
    runtime::{
        Predicate, WatchStreamExt,
        controller::{self, Action, Controller},
        events::{Recorder, Reporter},
        predicates,
        reflector::{self, ObjectRef},
        watcher,
    },
};

/// What comes within this time is looked at together: a pass makes a dozen children, and each tells of itself.
const BURST: Duration = Duration::from_millis(200);
/// Passes at a time. With three times as many a thousand registries settled no faster: each waited longer for its Services.
const PASSES: u16 = 16;

struct Shared {
    context: Context,
    retries: Retries,
    /// Registries whose children nobody may write.
    paused: Mutex<BTreeSet<String>>,
}

impl Shared {
    /// An object that is gone.
    fn forget(&self, gone: &ObjectRef<DynamicObject>) {
        let key = format!("{}/{}", gone.namespace.as_deref().unwrap_or_default(), gone.name);
        self.retries.succeeded(&key);
        self.paused(&key, false);
        self.context.usages.forget(&key);
    }

    fn paused(&self, key: &str, paused: bool) {
        let mut all = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        if paused {
            all.insert(key.to_owned())
        } else {
            all.remove(key)
        };
        metrics::gauge!("preg_paused").set(u32::try_from(all.len()).unwrap_or(u32::MAX));
    }
}

/// Reconciles every object until the process ends: of all namespaces, or of those that the command line names.
/// `watching` does nothing but list and watch.
pub async fn run(client: &Client, watching: &Client, run: &Run) {
    let reporter = Reporter { controller: MANAGER.into(), instance: Some(run.pod_name.clone()) };
    let shared = Arc::new(Shared {
        context: Context {
            client: client.clone(),
            recorder: Recorder::new(client.clone(), reporter),
            defaults: Defaults {
                image: run.registry_image.clone(),
                redis_image: run.redis_image.clone(),
                namespace: run.namespace.clone(),
            },
            cluster_wide: run.watch_namespaces.is_empty(),
            registries: Registries::default(),
            usages: Usages::default(),
            echoes: Arc::default(),
        },
        retries: Retries::default(),
        paused: Mutex::default(),
    });
    let named: BTreeSet<&String> = run.watch_namespaces.iter().collect();
    let mut scopes: Vec<Scope> = named.into_iter().cloned().map(Scope::Namespace).collect();
    if scopes.is_empty() {
        scopes.push(Scope::Cluster);
    }
    let passes = (usize::from(PASSES) / scopes.len()).max(1);
    let passes = u16::try_from(passes).unwrap_or(PASSES);
    let controllers = scopes.iter().map(|scope| watch(watching, scope, passes, Arc::clone(&shared)));
    futures::future::join_all(controllers).await;
}

/// Where objects are watched.
enum Scope {
    Cluster,
    Namespace(String),
}

impl Scope {
    fn api<K>(&self, client: &Client) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match self {
            Self::Cluster => Api::all(client.clone()),
            Self::Namespace(namespace) => Api::namespaced(client.clone(), namespace),
        }
    }

    /// Objects of one kind, by their metadata.
    fn metadata<K>(&self, client: &Client) -> Api<PartialObjectMeta<K>>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        self.api(client)
    }
}

/// One queue of objects, and what wakes them.
async fn watch(client: &Client, scope: &Scope, passes: u16, shared: Arc<Shared>) {
    let ours = || watcher::Config::default().labels(&format!("app.kubernetes.io/managed-by={MANAGER}"));
    let any = watcher::Config::default;
    let (registries, writer) = reflector::store();
    let freed = shared.context.registries.add(registries.clone());
    let (echoes, told) = (&shared.context.echoes, Arc::clone(&shared));
    // A status that a pass has written does not wake the next one.
    let asked = watcher(scope.api::<Watched>(client), any())
        .reflect(writer)
        .inspect(move |_| told.context.registries.look())
        .applied_objects()
        .predicate_filter(predicates::generation.combine(predicates::annotations), Default::default());
    Controller::for_stream(asked, registries.clone())
        .reconcile_on(freed)
        .with_config(controller::Config::default().concurrency(passes).debounce(BURST))
        .watches(scope.metadata::<Deployment>(client), ours(), wakes(&registries, echoes, nobody))
        .watches(scope.metadata::<Service>(client), ours(), wakes(&registries, echoes, nobody))
        .watches(scope.metadata::<ServiceAccount>(client), ours(), wakes(&registries, echoes, nobody))
        .watches(scope.metadata::<NetworkPolicy>(client), ours(), wakes(&registries, echoes, nobody))
        .watches(scope.metadata::<PodDisruptionBudget>(client), ours(), wakes(&registries, echoes, nobody))
        // Secrets, claims and bundles of the user's have no label of ours.
        .watches(scope.metadata::<ConfigMap>(client), any(), wakes(&registries, echoes, names_bundle))
        .watches(scope.metadata::<Secret>(client), any(), wakes(&registries, echoes, names_secret))
        .watches(
            scope.metadata::<PersistentVolumeClaim>(client),
            any(),
            wakes(&registries, echoes, names_claim),
        )
        .run(pass, retry, Arc::clone(&shared))
        .for_each(|result| {
            match result {
                Err(controller::Error::ObjectNotFound(gone)) => shared.forget(&gone),
                Err(error) => tracing::debug!(%error, "the queue reports"),
                Ok(_) => {}
            }
            std::future::ready(())
        })
        .await;
}

async fn pass(watched: Arc<Watched>, shared: Arc<Shared>) -> Result<Action, Arc<PassError>> {
    metrics::counter!("preg_passes_total").increment(1);
    let (context, key) = (&shared.context, key(&watched));
    let namespace = watched.meta().namespace.clone().unwrap_or_default();
    let name = watched.meta().name.clone().unwrap_or_default();
    if let Err(error) = &watched.0 {
        unreadable(&context.client, &namespace, &name, &error.error).await?;
        return Ok(Action::await_change());
    }
    // What the watch has may be older than the last pass's own status: it would be told twice.
    let api = Api::<PrivateRegistry>::namespaced(context.client.clone(), &namespace);
    let object = api.get_opt(&name).await.map_err(failed(|| format!("read {name}")))?;
    let Some(object) = object.filter(|object| object.metadata.deletion_timestamp.is_none()) else {
        shared.retries.succeeded(&key);
        shared.paused(&key, false);
        return Ok(Action::await_change());
    };
    shared.paused(&key, Wishes::of(object.annotations()).paused());
    let now = Timestamp::now().as_second();
    let (object, looked) = match announced(object.clone(), &context.client).await {
        Ok(object) => {
            let looked = reconcile(&object, context, now).await;
            (object, looked)
        }
        Err(error) => (object, Err(error)),
    };
    match looked {
        Ok(Progress(again)) => {
            shared.retries.succeeded(&key);
            Ok(Action::requeue(again))
        }
        Err(PassError::Terminating) => Ok(Action::await_change()),
        Err(error) => {
            tracing::warn!(error = ?error, object = key, "a pass failed");
            // An API server that does not answer says nothing about the registry: its status stays.
            if error.concerns_the_object() {
                failed_pass(&object, context, &error, now).await?;
            }
            Err(Arc::new(error))
        }
    }
}

fn retry(object: Arc<Watched>, _: &Arc<PassError>, shared: Arc<Shared>) -> Action {
    metrics::counter!("preg_failed_passes_total").increment(1);
    Action::requeue(shared.retries.failed(&key(&object)))
}

fn key(object: &Watched) -> String {
    let meta = object.meta();
    format!("{}/{}", meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}
