//! Section 11: what the cache may and may not do, seen from the store.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, TryStreamExt, future::BoxFuture, stream};
use hooked::{Call, Hook, Hooked};
use registry_server::{
    cache::{self, key_value::KeyValue},
    oci::{
        digest::{Algorithm, Digest},
        hasher::Hasher,
        manifest::OCI_INDEX,
        reference::Reference,
        repository_name::RepositoryName,
    },
    registry::{
        cached_metadata::CachedMetadata, completeness::Completeness, condition::Terms, manifests::Push,
        metadata::FromStore, service::Registry, uploads::Chunk,
    },
    storage::{
        backend::{Answer, Backend},
        error::StorageError,
    },
};

mod hooked;

/// Writes down what the store is asked, and fails where it is told to.
#[derive(Default)]
struct Spy {
    asked: Mutex<Vec<String>>,
    fails: Mutex<Option<&'static str>>,
}

impl Hook for Spy {
    fn before<'a>(&'a self, call: Call, key: &'a str) -> Answer<'a, ()> {
        self.asked.lock().unwrap().push(format!("{call:?} {key}"));
        let writes = matches!(call, Call::Put | Call::Commit);
        let fails = writes && self.fails.lock().unwrap().is_some_and(|part| key.contains(part));
        let told = fails.then(|| StorageError::unavailable(key, "told to fail"));
        ready(told.map_or(Ok(()), Err)).boxed()
    }
}

impl Spy {
    /// What was asked about content since the last time, without the links of repositories.
    fn content_calls(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.into_iter().filter(|call| call.contains("/v2/blobs/")).collect()
    }
}

/// A cache that writes down what it is told to keep, and for how long.
struct Kept {
    values: cache::memory::Memory,
    told: Mutex<Vec<(String, Duration)>>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { values: cache::memory::Memory::new(1 << 20), told: Mutex::default() }
    }
}

impl KeyValue for Kept {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Bytes>> {
        self.values.get(key)
    }

    fn set<'a>(&'a self, key: &'a str, value: Bytes, ttl: Duration) -> BoxFuture<'a, ()> {
        self.told.lock().unwrap().push((key.to_owned(), ttl));
        self.values.set(key, value, ttl)
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        self.values.delete(key)
    }
}

fn cached() -> (Arc<Hooked<Spy>>, Registry, RepositoryName) {
    cached_in(Arc::default())
}

fn cached_in(values: Arc<Kept>) -> (Arc<Hooked<Spy>>, Registry, RepositoryName) {
    let spy = Arc::new(Hooked::<Spy>::default());
    let store: Arc<dyn Backend> = Arc::clone(&spy) as _;
    let metadata = CachedMetadata::new(Arc::new(FromStore(Arc::clone(&store))), values);
    metadata.known_as("id");
    (spy, Registry::new(store, Arc::new(metadata)), "n".parse().unwrap())
}

async fn push_blob(registry: &Registry, name: &RepositoryName, bytes: &'static [u8]) -> Option<Digest> {
    let digest = Hasher::digest(Algorithm::Sha256, bytes);
    let id = registry.begin_upload(name, None).await.unwrap();
    let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(bytes))]);
    registry.append_upload(name, id, Chunk::default(), body).await.unwrap();
    registry.finish_upload(name, id, &digest, None).await.ok().map(|()| digest)
}

/// Pushes an index that differs by its blanks; gives its digest if that succeeds.
async fn push_index(registry: &Registry, name: &RepositoryName, blanks: usize) -> Option<Digest> {
    let bytes = format!(r#"{{"schemaVersion":2,"manifests":[]}}{}"#, " ".repeat(blanks));
    let push = Push {
        reference: Reference::Tag("t".parse().unwrap()),
        tags: Vec::new(),
        content_type: Some(OCI_INDEX.to_owned()),
        completeness: Completeness::default(),
        terms: Terms::default(),
        bytes: bytes.into(),
    };
    registry.put_manifest(name, push).await.ok().map(|pushed| pushed.digest)
}

async fn pull(registry: &Registry, name: &RepositoryName, blob: &Digest) -> (Digest, Bytes) {
    let manifest = registry.manifest(name, &Reference::Tag("t".parse().unwrap())).await.unwrap();
    let size = registry.blob_size(name, blob).await.unwrap();
    let bytes = registry.blob_bytes(blob, 0..size).await.unwrap();
    (manifest.digest, bytes.try_collect::<Vec<_>>().await.unwrap().concat().into())
}

// registry RC1
#[tokio::test]
async fn a_second_pull_asks_the_store_for_bytes_of_blobs_only() {
    let (spy, registry, name) = cached();
    let blob = push_blob(&registry, &name, b"layer").await.unwrap();
    push_index(&registry, &name, 0).await.unwrap();
    pull(&registry, &name, &blob).await;
    spy.hook.content_calls();
    for _ in 0..2 {
        assert_eq!(pull(&registry, &name, &blob).await.1, "layer");
        let calls = spy.hook.content_calls();
        assert!(calls.len() == 1 && calls[0].starts_with("Stream "), "{calls:?}");
    }
}

// registry RC6, seed D6
#[tokio::test]
async fn a_write_that_fails_leaves_the_old_state() {
    let (spy, registry, name) = cached();
    let blob = push_blob(&registry, &name, b"layer").await.unwrap();
    let old = push_index(&registry, &name, 0).await.unwrap();
    for (blanks, part) in [(1, "/v2/blobs/"), (2, "_manifests/revisions/"), (3, "/current/link")] {
        *spy.hook.fails.lock().unwrap() = Some(part);
        assert_eq!(push_index(&registry, &name, blanks).await, None);
        assert_eq!(push_blob(&registry, &name, b"never").await.is_some(), part != "/v2/blobs/");
        *spy.hook.fails.lock().unwrap() = None;
        assert_eq!(pull(&registry, &name, &blob).await.0, old);
    }
}

// registry section 0 line 5, GC10
#[tokio::test]
async fn whether_a_blob_is_there_is_asked_of_the_store() {
    let (spy, registry, name) = cached();
    let blob = push_blob(&registry, &name, b"layer").await.unwrap();
    push_index(&registry, &name, 0).await.unwrap();
    pull(&registry, &name, &blob).await;
    assert_eq!(registry.blob_size_now(&name, &blob).await.unwrap(), 5);
    // Another program has collected it.
    spy.store.delete("docker/registry/v2/blobs").await.unwrap();
    assert!(registry.blob_size_now(&name, &blob).await.is_err());
    assert!(registry.blob_size(&name, &blob).await.is_err());
}

// registry RC7 G8
#[tokio::test]
async fn a_write_is_done_however_well_the_content_is_known() {
    let (spy, registry, name) = cached();
    let blob = push_blob(&registry, &name, b"layer").await.unwrap();
    let manifest = push_index(&registry, &name, 0).await.unwrap();
    pull(&registry, &name, &blob).await;
    // The store has lost it behind the cache's back.
    spy.store.delete("docker/registry/v2/blobs").await.unwrap();
    assert_eq!(push_blob(&registry, &name, b"layer").await.unwrap(), blob);
    assert_eq!(push_index(&registry, &name, 0).await.unwrap(), manifest);
    assert_eq!(pull(&registry, &name, &blob).await, (manifest, Bytes::from_static(b"layer")));
    let kept = spy.store.list("docker/registry/v2/blobs/sha256").await.unwrap();
    assert_eq!(kept.len(), 2);
}

// registry RC2
#[tokio::test]
async fn a_manifest_above_the_cap_is_served_from_the_store_each_time() {
    const CAP: usize = 64 << 10;
    let index = r#"{"schemaVersion":2,"manifests":[]}"#.len();
    for (size, asked) in [(CAP, 0), (CAP + 1, 1)] {
        let values = Arc::<Kept>::default();
        let (spy, registry, name) = cached_in(Arc::clone(&values));
        let digest = push_index(&registry, &name, size - index).await.unwrap();
        let pull = async || registry.manifest(&name, &Reference::Digest(digest.clone())).await.unwrap().bytes;
        assert_eq!(pull().await.len(), size);
        spy.hook.content_calls();
        for _ in 0..2 {
            assert_eq!(pull().await.len(), size);
            assert_eq!(spy.hook.content_calls().len(), asked, "{size} bytes");
        }
        assert_eq!(values.told.lock().unwrap().len(), 1 - asked);
    }
}

// registry RC11
#[tokio::test]
async fn what_is_kept_has_its_prefix_and_its_time_and_is_about_content() {
    let values = Arc::<Kept>::default();
    let (_spy, registry, name) = cached_in(Arc::clone(&values));
    let other: RepositoryName = "other".parse().unwrap();
    let blob = push_blob(&registry, &name, b"layer").await.unwrap();
    let manifest = push_index(&registry, &name, 0).await.unwrap();
    assert!(registry.mount(&other, &blob, &name).await.unwrap());
    pull(&registry, &name, &blob).await;
    let open = registry.begin_upload(&name, None).await.unwrap();
    let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"abc"))]);
    registry.append_upload(&name, open, Chunk::default(), body).await.unwrap();
    registry.upload_size(&name, open).await.unwrap();
    registry.tags(&name, None, 10).await.unwrap();
    registry.catalog(None, 10, |_| true).await.unwrap();
    registry.referrers(&name, &manifest, None, None).await.unwrap();
    registry.purge_uploads(jiff::Timestamp::now(), Duration::ZERO, false).await.unwrap();
    registry.delete_manifest(&name, &Reference::Digest(manifest.clone()), &Terms::default()).await.unwrap();
    registry.delete_blob(&name, &blob, &Terms::default()).await.unwrap();
    let told = values.told.lock().unwrap();
    let keys: std::collections::BTreeSet<&str> = told.iter().map(|(key, _)| key.as_str()).collect();
    let wanted = [format!("registry:1:id:manifest:{manifest}"), format!("registry:1:id:size:{blob}")];
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), wanted);
    assert!(told.iter().all(|(_, ttl)| (1..=3600).contains(&ttl.as_secs())));
}
