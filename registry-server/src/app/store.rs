//! The store that the configuration names, and the registry in it.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use registry_config::schema::{Cache, CacheKind, Config};

use crate::{
    app::{bucket, secret},
    cache::{
        self,
        key_value::KeyValue,
        redis_address::{Address, TlsFiles},
    },
    registry::{
        cached_metadata::CachedMetadata,
        identity,
        metadata::{FromStore, Metadata},
        service::Registry,
    },
    storage::{backend::Backend, fs::Filesystem, memory::Memory, s3::S3},
};

/// The registry in the configured store, which is made sure to be the right one.
pub async fn registry(config: &Config) -> anyhow::Result<Registry> {
    let store = open(config)?;
    let expected = config.storage.identity.as_deref();
    if let Some(expected) = expected {
        identity::require(&*store, expected, config.storage.initialize).await?;
    }
    let metadata = metadata(config, Arc::clone(&store)).await?;
    Ok(Registry::new(store, metadata).expecting(expected))
}

fn open(config: &Config) -> anyhow::Result<Arc<dyn Backend>> {
    let storage = &config.storage;
    match (&storage.filesystem, &storage.inmemory, &storage.s3) {
        (None, Some(_), None) => Ok(Arc::new(Memory::default())),
        (None, None, Some(section)) => Ok(Arc::new(S3::new(&bucket::options(section)?)?)),
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
    let values = values(config, section)?;
    let identity = identity::of(&*store).await.context("cannot read the identity of the store")?;
    Ok(Arc::new(CachedMetadata::new(direct, values, &identity)))
}

fn values(config: &Config, section: &Cache) -> anyhow::Result<Arc<dyn KeyValue>> {
    Ok(match section.blobdescriptor {
        CacheKind::InMemory => Arc::new(cache::memory::Memory::new(section.maxsize)),
        CacheKind::Redis => Arc::new(cache::redis::Redis::new(redis(config)?)),
    })
}

fn redis(config: &Config) -> anyhow::Result<Address> {
    let redis = config.redis.as_ref().context("redis: the section is missing")?;
    for (key, file) in
        [("redis.usernamefile", &redis.usernamefile), ("redis.passwordfile", &redis.passwordfile)]
    {
        file.as_ref().map(|file| secret::read(key, file)).transpose()?;
    }
    let address = redis.addrs.first().and_then(|address| address.rsplit_once(':'));
    let (host, port) = address.context("redis.addrs: not host:port")?;
    Ok(Address {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: port.parse().context("redis.addrs: not host:port")?,
        username: redis.username.clone(),
        username_file: redis.usernamefile.clone(),
        password_file: redis.passwordfile.clone(),
        database: redis.db,
        tls: redis.tls.as_ref().map(|tls| TlsFiles {
            pair: tls.certificate.clone().zip(tls.key.clone()),
            authorities: tls.clientcas.clone(),
        }),
    })
}
