//! Facts about content, remembered in a cache. Whether a repository has the content is always asked of the store.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};

use crate::{
    cache::key_value::KeyValue,
    metrics,
    oci::{digest::Digest, hasher::Hasher},
    registry::metadata::{Fact, Metadata},
};

const TTL: Duration = Duration::from_secs(3600);
/// Larger manifests are served and not remembered.
const LARGEST: usize = 64 << 10;

/// A cache in front of other metadata.
pub struct CachedMetadata {
    inner: Arc<dyn Metadata>,
    values: Arc<dyn KeyValue>,
    identity: OnceLock<String>,
}

impl CachedMetadata {
    /// Remembers what `inner` says, once it is known which store that is about.
    pub fn new(inner: Arc<dyn Metadata>, values: Arc<dyn KeyValue>) -> Self {
        Self { inner, values, identity: OnceLock::new() }
    }

    /// From now on facts are remembered under keys of the store with this identity.
    pub fn known_as(&self, identity: &str) {
        self.identity.get_or_init(|| identity.to_owned());
    }

    fn key(&self, kind: &str, digest: &Digest) -> Option<String> {
        self.identity.get().map(|identity| format!("registry:1:{identity}:{kind}:{digest}"))
    }
}

impl Metadata for CachedMetadata {
    fn size<'a>(&'a self, digest: &'a Digest) -> Fact<'a, Option<u64>> {
        async move {
            let Some(key) = self.key("size", digest) else { return self.inner.size(digest).await };
            let known = self.values.get(&key).await;
            let known = known.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok());
            metrics::cache(known.is_some());
            if known.is_some() {
                return Ok(known);
            }
            let size = self.inner.size(digest).await?;
            if let Some(size) = size {
                self.values.set(&key, size.to_string().into(), TTL).await;
            }
            Ok(size)
        }
        .boxed()
    }

    fn manifest<'a>(&'a self, digest: &'a Digest) -> Fact<'a, Option<Bytes>> {
        async move {
            let Some(key) = self.key("manifest", digest) else { return self.inner.manifest(digest).await };
            let known = self.values.get(&key).await;
            // A shared cache is not trusted with content.
            let known = known.filter(|bytes| Hasher::digest(digest.algorithm(), bytes) == *digest);
            metrics::cache(known.is_some());
            if known.is_some() {
                return Ok(known);
            }
            let bytes = self.inner.manifest(digest).await?;
            if let Some(bytes) = bytes.as_ref().filter(|bytes| bytes.len() <= LARGEST) {
                self.values.set(&key, bytes.clone(), TTL).await;
            }
            Ok(bytes)
        }
        .boxed()
    }

    fn forget<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, ()> {
        async move {
            for key in ["size", "manifest"].into_iter().filter_map(|kind| self.key(kind, digest)) {
                self.values.delete(&key).await;
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cache::memory::Memory,
        oci::digest::Algorithm,
        registry::{layout, metadata::FromStore},
        storage::{backend::Backend, memory},
    };

    // registry RC2 RC9
    #[tokio::test]
    async fn facts_are_remembered_by_store_and_never_believed_blindly() {
        let store: Arc<dyn Backend> = Arc::new(memory::Memory::default());
        let values: Arc<dyn KeyValue> = Arc::new(Memory::new(1 << 20));
        let cached = |identity| {
            let direct = Arc::new(FromStore(Arc::clone(&store)));
            let cached = CachedMetadata::new(direct, Arc::clone(&values));
            cached.known_as(identity);
            cached
        };
        let (one, two) = (cached("one"), cached("two"));
        let digest = Hasher::digest(Algorithm::Sha256, b"content");
        let key = layout::blob(&digest);
        store.put(&key, Bytes::from_static(b"content")).await.unwrap();
        assert_eq!(one.size(&digest).await.unwrap(), Some(7));
        assert_eq!(one.manifest(&digest).await.unwrap().unwrap(), "content");
        store.delete(&key).await.unwrap();
        assert_eq!(one.size(&digest).await.unwrap(), Some(7));
        assert_eq!(two.size(&digest).await.unwrap(), None);
        values.set(&one.key("manifest", &digest).unwrap(), Bytes::from_static(b"poison"), TTL).await;
        assert_eq!(one.manifest(&digest).await.unwrap(), None);
        one.forget(&digest).await;
        assert_eq!(one.size(&digest).await.unwrap(), None);
        let large = vec![b'x'; LARGEST + 1];
        let digest = Hasher::digest(Algorithm::Sha256, &large);
        store.put(&layout::blob(&digest), large.into()).await.unwrap();
        assert!(one.manifest(&digest).await.unwrap().is_some());
        assert_eq!(values.get(&one.key("manifest", &digest).unwrap()).await, None);
    }
}
