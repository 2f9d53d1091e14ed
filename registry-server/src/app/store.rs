//! The store that the configuration names, and the registry in it.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use registry_config::schema::{Cache, CacheKind, Config};

use crate::{
    app::{bucket, redis},
    cache::{self, key_value::KeyValue},
    metrics,
    registry::{
        cached_metadata::CachedMetadata,
        error::RegistryError,
        identity,
        metadata::{FromStore, Metadata},
        service::{LATELY, Registry},
    },
    storage::{backend::Backend, fs::Filesystem, measured::Measured, memory::Memory, s3::S3},
};

/// How long the start waits for the store. One that does not answer by then is looked at later.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the store is looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// The registry in the configured store. A store that answers is made sure to be the right one.
pub async fn registry(config: &Config) -> anyhow::Result<Registry> {
    let store: Arc<dyn Backend> = Arc::new(Measured(open(config)?));
    let expected = config.storage.identity.as_deref();
    let metadata = metadata(config, Arc::clone(&store)).await?;
    // No other store can send clients away, and asks its cache.
    let wanted = config.storage.redirect.as_ref().filter(|redirect| !redirect.disable);
    let redirect = wanted.filter(|_| config.storage.s3.is_some());
    let registry = Registry::new(store, metadata)
        .expecting(expected, config.storage.initialize)
        .redirecting(redirect.map(|redirect| redirect.expiry.0));
    answered(registry.look()).await?;
    Ok(registry)
}

/// What the store says, unless it does not answer soon: then there is nothing yet.
async fn answered<T>(
    asked: impl Future<Output = Result<T, RegistryError>>,
) -> Result<Option<T>, RegistryError> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => Ok(Some(answer)),
        Ok(Err(error @ RegistryError::Unavailable(_))) => {
            tracing::warn!(%error, "going on; the server gets ready when it does");
            Ok(None)
        }
        Err(_) => {
            tracing::warn!("the store is slow; going on, the server gets ready when it answers");
            Ok(None)
        }
        Ok(Err(error)) => Err(error),
    }
}

/// Looks at the store now and then. Never ends.
pub async fn watch(registry: Registry) {
    tokio::join!(look(&registry), measure(&registry));
}

async fn look(registry: &Registry) {
    loop {
        // What is wrong is told by the guard when it begins.
        let _ = registry.ready(LATELY).await;
        tokio::time::sleep(PERIOD).await;
    }
}

/// Beside the looks: a volume that hangs is asked once, and nothing waits for its answer.
async fn measure(registry: &Registry) {
    loop {
        // The room of another store is not ours.
        if let Some(space) = registry.space().await.filter(|_| registry.trusted()) {
            metrics::store_space(space.capacity, space.used);
        }
        tokio::time::sleep(PERIOD).await;
    }
}

fn open(config: &Config) -> anyhow::Result<Arc<dyn Backend>> {
    let storage = &config.storage;
    match (&storage.filesystem, &storage.inmemory, &storage.s3) {
        (None, Some(_), None) => Ok(Arc::new(Memory::default())),
        (None, None, Some(section)) => Ok(Arc::new(S3::new(&bucket::options(section, storage)?)?)),
        (filesystem, None, None) => {
            let root = filesystem.as_ref().map_or(PathBuf::from("data"), |f| f.rootdirectory.clone());
            if storage.identity.is_some() && !storage.initialize {
                // Nothing is written where the right volume may be missing.
                return Ok(Arc::new(Filesystem::existing(&root)));
            }
            let opened = Filesystem::open(&root);
            Ok(Arc::new(opened.with_context(|| format!("cannot open the store in {}", root.display()))?))
        }
        _ => bail!("storage: exactly one of filesystem, inmemory and s3"),
    }
}

/// Facts from the store, behind a cache if one is configured.
async fn metadata(config: &Config, store: Arc<dyn Backend>) -> anyhow::Result<Arc<dyn Metadata>> {
    let direct: Arc<dyn Metadata> = Arc::new(FromStore(Arc::clone(&store)));
    let Some(section) = &config.storage.cache else { return Ok(direct) };
    let cached = Arc::new(CachedMetadata::new(direct, values(config, section)?));
    if let Some(expected) = &config.storage.identity {
        cached.known_as(expected);
        return Ok(cached);
    }
    match answered(identity::of(&*store)).await.context("cannot read the identity of the store")? {
        Some(identity) => cached.known_as(&identity),
        None => drop(tokio::spawn(learn(Arc::clone(&cached), store))),
    }
    Ok(cached)
}

/// Asks until the store says which it is; nothing is remembered before.
async fn learn(cached: Arc<CachedMetadata>, store: Arc<dyn Backend>) {
    loop {
        match identity::of(&*store).await {
            Ok(identity) => return cached.known_as(&identity),
            Err(_) => tokio::time::sleep(PERIOD).await,
        }
    }
}

fn values(config: &Config, section: &Cache) -> anyhow::Result<Arc<dyn KeyValue>> {
    Ok(match section.blobdescriptor {
        CacheKind::InMemory => Arc::new(cache::memory::Memory::new(section.maxsize)),
        CacheKind::Redis => {
            let redis = Arc::new(cache::redis::Redis::new(redis::address(config)?));
            tokio::spawn(Arc::clone(&redis).watch());
            redis
        }
    })
}
