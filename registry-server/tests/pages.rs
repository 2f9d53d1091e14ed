//! Section 7 below HTTP: what a page of a list costs.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::FutureExt;
use hooked::{Call, Hook, Hooked};
use registry_server::{
    oci::{
        digest::{Algorithm, Digest},
        hasher::Hasher,
        repository_name::RepositoryName,
    },
    registry::{error::RegistryError, layout, metadata::FromStore, service::Registry},
    storage::backend::{Answer, Backend},
};

mod hooked;

/// Far more than a page.
const MANY: usize = 3_000;
/// More calls than these are not in proportion to a page of ten: some questions run ahead.
const FEW: usize = 165;

#[derive(Default)]
struct Count {
    calls: AtomicUsize,
}

impl Hook for Count {
    fn before<'a>(&'a self, call: Call, key: &'a str) -> Answer<'a, ()> {
        assert_ne!(call, Call::List, "a list has no page");
        let leads_on = |part: &str| !part.is_empty() && !part.contains('\0') && part.len() <= 255;
        assert!(
            key.split('/').all(|part| leads_on(part) && part != "." && part != ".."),
            "asked for {key:?}"
        );
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(())).boxed()
    }
}

/// A registry whose calls to the store are counted.
struct Counted {
    store: Arc<Hooked<Count>>,
    registry: Registry,
}

impl Counted {
    fn new() -> Self {
        let store = Arc::new(Hooked::<Count>::default());
        let backend: Arc<dyn Backend> = Arc::clone(&store) as _;
        let registry = Registry::new(Arc::clone(&backend), Arc::new(FromStore(backend)));
        Self { store, registry }
    }

    async fn write(&self, key: &str, text: impl Into<bytes::Bytes>) {
        self.store.store.put(key, text.into()).await.unwrap();
    }

    /// What the page says, which has to be cheap.
    async fn cheap<T>(&self, page: impl Future<Output = T>) -> T {
        let before = self.store.hook.calls.load(Ordering::SeqCst);
        let page = page.await;
        let calls = self.store.hook.calls.load(Ordering::SeqCst) - before;
        assert!(calls <= FEW, "{calls} calls");
        page
    }
}

// registry F13
#[tokio::test]
async fn a_page_of_tags_costs_as_much_as_it_has_tags() {
    let (counted, name): (_, RepositoryName) = (Counted::new(), "n".parse().unwrap());
    for i in 0..MANY {
        let tag = format!("t{i:04}").parse().unwrap();
        counted.write(&layout::tag_current(&name, &tag), "x").await;
    }
    let page = async |last: &str| counted.registry.tags(&name, Some(last), 10).await.unwrap();
    let first = counted.cheap(page("")).await;
    assert_eq!((first.names.len(), first.names[9].as_str(), first.more), (10, "t0009", true));
    let last = counted.cheap(page("t2989")).await;
    assert_eq!((last.names.len(), last.names[0].as_str(), last.more), (10, "t2990", false));
}

// registry F12 F13
#[tokio::test]
async fn a_page_of_the_catalog_costs_as_much_as_it_has_repositories() {
    let counted = Counted::new();
    let mut names: Vec<String> = (0..MANY).map(|i| format!("r{i:04}")).collect();
    names.extend(
        ["a", "a/b", "a-b", "a-b/c", "a.b/c/d", "a/0", "ab", "r1500/x", "r1500-x/y"].map(str::to_owned),
    );
    names.sort();
    for name in &names {
        let digest = Hasher::digest(Algorithm::Sha256, name.as_bytes());
        counted.write(&layout::link(&layout::revision(&name.parse().unwrap(), &digest)), "x").await;
    }
    // Somebody has begun to push there, and nothing more.
    counted.write(&layout::upload_started(&"a/aa".parse().unwrap(), uuid::Uuid::nil()), "x").await;
    let page = async |last: &str| counted.registry.catalog(Some(last), 10, |_| true).await.unwrap();
    for last in ["", "a", "a-b", "a-b/c", "a.b", "a/", "a/b", "r1499", "r1500", "r1500-x", "r1500/w", "r2989"]
    {
        let found = counted.cheap(page(last)).await;
        let after: Vec<&String> = names.iter().filter(|name| name.as_str() > last).collect();
        assert_eq!(found.names.iter().collect::<Vec<_>>(), after[..after.len().min(10)], "after {last:?}");
        assert_eq!(found.more, after.len() > 10);
    }
}

// registry E7 F12
#[tokio::test]
async fn the_catalog_begins_after_any_text_and_asks_for_nothing_outside() {
    let counted = Counted::new();
    let long = format!("a/{}", "x".repeat(250));
    let mut names = vec!["a", "a-b", "a.b", "a/b", "a/b/c", "a0", "b", "n/z", &long];
    names.sort_unstable();
    for name in &names {
        let digest = Hasher::digest(Algorithm::Sha256, name.as_bytes());
        counted.write(&layout::link(&layout::revision(&name.parse().unwrap(), &digest)), "x").await;
    }
    let (x300, deep) = ("x".repeat(300), "a/".repeat(2_000));
    let (a300, b_long) = (format!("a/{x300}"), format!("a/b/{x300}/../c"));
    for last in [
        "..", ".", "../../x", "a/..", "a/../b", "a/.", "a/./b", "a//b", "a/", "/", "//", "/a", "a\0", "\0",
        "a-/b", "a./b", "a./../b", "_x", "a/_x", "n/../z", "a b", "A", "ä", "%2e%2e", &x300, &deep, &a300,
        &b_long,
    ] {
        let found = counted.cheap(counted.registry.catalog(Some(last), 10, |_| true)).await.unwrap();
        let after: Vec<&str> = names.iter().copied().filter(|name| *name > last).collect();
        assert_eq!(found.names, after, "after {last:?}");
    }
}

// registry F13 H11
#[tokio::test]
async fn a_page_of_referrers_costs_as_much_as_it_has_referrers() {
    let (counted, name): (_, RepositoryName) = (Counted::new(), "n".parse().unwrap());
    let subject = Hasher::digest(Algorithm::Sha256, b"subject");
    // Twenty of these fill a page.
    let blanks = "x".repeat(160 << 10);
    let mut digests = Vec::new();
    for i in 0..300 {
        let text = format!(r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"{i}":"{blanks}"}}}}"#);
        let digest = Hasher::digest(Algorithm::Sha256, text.as_bytes());
        for folder in [layout::revision(&name, &digest), layout::referrer(&name, &subject, &digest)] {
            counted.write(&layout::link(&folder), digest.to_string()).await;
        }
        counted.write(&layout::blob(&digest), text).await;
        digests.push(digest.to_string());
    }
    digests.sort();
    let (mut found, mut last): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let asked = counted.registry.referrers(&name, &subject, None, last.as_deref());
        let page = counted.cheap(asked).await.unwrap();
        found.extend(page.descriptors.iter().map(|d| d.digest.clone()));
        last = page.next;
        if last.is_none() {
            break;
        }
    }
    assert_eq!(found, digests);
    let none: Digest = Hasher::digest(Algorithm::Sha512, b"none");
    assert!(counted.registry.referrers(&name, &none, None, None).await.unwrap().descriptors.is_empty());
}

// registry F5: links without content, as a registry that collected garbage leaves them
#[tokio::test]
async fn what_is_not_found_costs_no_look_at_every_dead_link() {
    let (counted, name): (_, RepositoryName) = (Counted::new(), "n".parse().unwrap());
    let digest = |i: usize| Hasher::digest(Algorithm::Sha256, i.to_string().as_bytes());
    let link = |i: usize| layout::link(&layout::layer(&name, &digest(i)));
    let ask = async || {
        let before = counted.store.hook.calls.load(Ordering::SeqCst);
        let unknown = counted.registry.manifest(&name, &"t".parse().unwrap()).await.unwrap_err();
        (unknown, counted.store.hook.calls.load(Ordering::SeqCst) - before)
    };
    for i in 0..200 {
        counted.write(&link(i), digest(i).to_string()).await;
    }
    assert!(matches!(ask().await.0, RegistryError::NameUnknown));
    counted.write(&layout::blob(&digest(0)), "0").await;
    assert!(matches!(ask().await.0, RegistryError::ManifestUnknown));
    counted.store.store.delete(&layout::blob(&digest(0))).await.unwrap();
    for i in 0..MANY {
        counted.write(&link(i), digest(i).to_string()).await;
    }
    let (unknown, calls) = ask().await;
    assert!(matches!(unknown, RegistryError::ManifestUnknown), "{unknown:?}");
    assert!(calls < 1_000, "{calls} calls");
}
