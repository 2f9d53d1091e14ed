//! Section 10, ST3: a store that is not the expected one, or does not say which it is.

use std::{
    future::{pending, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::join_all, stream};
use registry_server::{
    oci::repository_name::RepositoryName,
    registry::{
        error::RegistryError, layout, metadata::FromStore, service::Registry, trouble::Trouble,
        uploads::Chunk,
    },
    storage::backend::{Answer, Backend},
};

use crate::{
    faults::Shaky,
    fixture::{header, image, refused, sha256},
    hooked::{Call, Hook, Hooked},
};

/// How often the store was asked who it is, and whether it has stopped to say so.
#[derive(Default)]
struct Asked {
    count: AtomicUsize,
    silent: AtomicBool,
}

impl Hook for Asked {
    fn before<'a>(&'a self, call: Call, key: &'a str) -> Answer<'a, ()> {
        if call == Call::Read && key == layout::IDENTITY {
            self.count.fetch_add(1, Ordering::SeqCst);
            if self.silent.load(Ordering::SeqCst) {
                return pending().boxed();
            }
        }
        ready(Ok(())).boxed()
    }
}

/// A registry that expects the store `one`, which this is at first.
async fn start() -> Shaky<Asked> {
    let registry = Shaky::over(|registry| registry.expecting(Some("one"), true)).await;
    registry.registry.look().await.unwrap();
    registry
}

// registry ST3, seed D11
#[tokio::test]
async fn nothing_is_said_about_another_store_and_nothing_is_written_into_it() {
    let registry = start().await;
    let blob = registry.push(b"there").await;
    let (layer, unknown) = (sha256(b"there"), sha256(b"unknown"));
    let manifest = image(&layer, &[&layer], "");
    assert_eq!(registry.send("PUT", "/v2/n/manifests/t", manifest.clone()).await.status(), 201);
    let session = header(&registry.send("POST", "/v2/n/blobs/uploads/", "").await, "location");
    let digest = sha256(manifest.as_bytes());
    let asked = [
        ("GET", "/v2/_catalog".to_owned()),
        ("GET", "/v2/n/tags/list".to_owned()),
        ("GET", "/v2/n/tags/list?n=0".to_owned()),
        ("GET", format!("/v2/n/referrers/{digest}")),
        ("GET", format!("/v2/n/manifests/{unknown}")),
        ("GET", "/v2/n/manifests/t".to_owned()),
        ("GET", blob.clone()),
        ("GET", session.clone()),
        ("POST", "/v2/n/blobs/uploads/".to_owned()),
        ("POST", format!("/v2/n/blobs/uploads/?mount={layer}&from=n")),
        ("PATCH", session.clone()),
        ("PUT", format!("{session}?digest={layer}")),
        ("PUT", "/v2/n/manifests/t".to_owned()),
        ("DELETE", "/v2/n/manifests/t".to_owned()),
        ("DELETE", blob),
        ("DELETE", session),
    ];
    // Another store with things of the same names, and one with nothing in it; each is noticed by whatever is asked first.
    for (identity, kept) in [("another", true), ("", false)] {
        for (method, path) in &asked {
            registry.store.store.put(layout::IDENTITY, "one".into()).await.unwrap();
            registry.registry.look().await.unwrap();
            if !kept {
                registry.store.store.delete("docker").await.unwrap();
            }
            registry.store.store.put(layout::IDENTITY, identity.into()).await.unwrap();
            let looked_up =
                matches!(*method, "GET") && kept && !path.contains("list") && !path.contains("_catalog");
            if looked_up {
                // What is found is found until the store is looked at.
                assert!(registry.registry.look().await.is_err());
            }
            let before = registry.everything().await;
            let answer =
                refused(registry.send(method, path, manifest.clone()).await, 503, "UNAVAILABLE").await;
            assert_eq!(
                answer["errors"][0]["message"], "the store is not the expected one",
                "{method} {path}"
            );
            assert_eq!(registry.everything().await, before, "{method} {path}");
        }
    }
}

// registry ST3: an answer to many, and in time
#[tokio::test]
async fn a_store_that_does_not_say_who_it_is_is_asked_once_for_all_and_not_for_long() {
    let registry = Arc::new(start().await);
    let missing = format!("/v2/n/blobs/{}", sha256(b"missing"));
    refused(registry.send("GET", &missing, "").await, 404, "BLOB_UNKNOWN").await;
    registry.store.hook.silent.store(true, Ordering::SeqCst);
    let before = registry.store.hook.count.load(Ordering::SeqCst);
    let all =
        (0..40).map(async |_| refused(registry.send("GET", &missing, "").await, 503, "UNAVAILABLE").await);
    let all = tokio::time::timeout(Duration::from_secs(30), join_all(all)).await;
    for error in all.expect("nobody was answered") {
        assert_eq!(error["errors"][0]["message"], "the store does not answer");
    }
    let asked = registry.store.hook.count.load(Ordering::SeqCst) - before;
    assert!((1..10).contains(&asked), "{asked} questions for 40 clients");
    registry.store.hook.silent.store(false, Ordering::SeqCst);
    refused(registry.send("GET", &missing, "").await, 404, "BLOB_UNKNOWN").await;
}

// registry VL1: anybody may ask
#[tokio::test]
async fn a_ping_does_not_ask_the_store_each_time() {
    let registry = start().await;
    let (before, began) = (registry.store.hook.count.load(Ordering::SeqCst), Instant::now());
    for _ in 0..200 {
        assert_eq!(registry.send("GET", "/v1/_ping", "").await.status(), 200);
        assert_eq!(registry.send("GET", "/v2/", "").await.status(), 200);
    }
    let asked = registry.store.hook.count.load(Ordering::SeqCst) - before;
    let seconds = began.elapsed().as_secs() as usize;
    assert!(asked >= 1 && asked <= seconds + 1, "{asked} questions in {seconds} s");
}

// registry ST3 C35
#[tokio::test]
async fn bytes_that_arrive_after_the_volume_has_gone_go_nowhere() {
    for first in [0, 2 << 20] {
        let store = Arc::new(Hooked::<Asked>::default());
        let backend: Arc<dyn Backend> = Arc::clone(&store) as _;
        let registry = Registry::new(Arc::clone(&backend), Arc::new(FromStore(Arc::clone(&backend))));
        let registry = registry.expecting(Some("one"), true);
        registry.look().await.unwrap();
        let name: RepositoryName = "n".parse().unwrap();
        let id = registry.begin_upload(&name, None).await.unwrap();
        let gone = async {
            store.store.delete("docker").await.unwrap();
            assert!(registry.look().await.is_err());
            Ok::<_, std::io::Error>(Bytes::from(vec![2; 2 << 20]))
        };
        let begin = stream::iter((first > 0).then(|| Ok(Bytes::from(vec![1; first]))));
        let body = Box::pin(begin.chain(stream::once(gone)));
        let sent = registry.append_upload(&name, id, Chunk::default(), body).await;
        assert!(matches!(sent, Err(RegistryError::Trouble(Trouble::Wrong))), "{sent:?}");
        assert_eq!(store.store.list("docker").await.unwrap(), Vec::<String>::new());
    }
}
