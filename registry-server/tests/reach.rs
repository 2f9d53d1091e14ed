//! Sections 4, 5 and 17 below HTTP: how far a question goes that is about no repository in particular, and how often the
//! store is asked.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use hooked::{Call, Hook, Hooked};
use registry_server::{
    oci::{
        digest::{Algorithm, Digest},
        hasher::Hasher,
        manifest::OCI_MANIFEST,
        reference::Reference,
        repository_name::RepositoryName,
    },
    registry::{
        completeness::Completeness, condition::Terms, error::RegistryError, layout, manifests::Push,
        metadata::FromStore, reach::Reach, service::Registry,
    },
    storage::{
        backend::{Answer, Backend},
        memory::Memory,
    },
};

mod hooked;

const REACH: Reach = Reach { mounts: 3, searches: 4, folders: 20, patience: Duration::from_secs(600) };

/// Whoever asks here may see what comes last, and nothing else.
fn late(name: &str) -> bool {
    name.starts_with('z')
}

/// A registry whose repositories have these names, each with a blob of its own.
async fn registry(names: &[String]) -> Registry {
    filled(Arc::new(Memory::default()), names).await
}

async fn filled(store: Arc<dyn Backend>, names: &[String]) -> Registry {
    for name in names {
        let digest = blob(name);
        let name: RepositoryName = name.parse().unwrap();
        store.put(&layout::link(&layout::layer(&name, &digest)), digest.to_string().into()).await.unwrap();
        store.put(&layout::blob(&digest), name.to_string().into()).await.unwrap();
    }
    Registry::new(Arc::clone(&store), Arc::new(FromStore(store))).reaching(REACH)
}

fn blob(name: &str) -> Digest {
    Hasher::digest(Algorithm::Sha256, name.as_bytes())
}

fn names(letter: char, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{letter}{number:02}")).collect()
}

// registry VL2: what one may not see keeps nobody from finding what one may
#[tokio::test]
async fn a_search_counts_what_is_shown() {
    let registry = registry(&[names('a', 14), names('z', 6)].concat()).await;
    let found = async |term: &str, most: usize| registry.search(term, most, late).await.unwrap();
    assert_eq!(found("z0", 10).await, ["z00", "z01", "z02", "z03"]);
    assert_eq!(found("z0", 2).await, ["z00", "z01"]);
    assert_eq!(found("3", 10).await, ["z03"]);
    // It ends after as many as it looks at, whether they are called so or not.
    assert_eq!(found("z05", 10).await, Vec::<String>::new());
    assert_eq!(registry.search("z", 10, |_| true).await.unwrap(), Vec::<String>::new());
    assert_eq!(found("a", 10).await, Vec::<String>::new());
}

// registry VL2: nobody has the whole of a large store walked through for one question
#[tokio::test]
async fn a_search_goes_so_far_and_no_farther() {
    for (before, found) in [(19, vec!["z00".to_owned()]), (20, vec![])] {
        let registry = registry(&[names('a', before), names('z', 6)].concat()).await;
        assert_eq!(registry.search("z", 10, late).await.unwrap(), found);
    }
}

// registry C21: the same for a blob, as far as the way there is not too long
#[tokio::test]
async fn a_blob_is_looked_for_where_one_may_pull_and_not_for_ever() {
    let new: RepositoryName = "new".parse().unwrap();
    for (before, at, found) in [
        (0, 2, true),
        (0, 3, false),
        (15, 0, true),
        (15, 2, true),
        (15, 3, false),
        (19, 0, true),
        (20, 0, false),
    ] {
        let registry = registry(&[names('a', before), names('z', 6)].concat()).await;
        let digest = blob(&format!("z{at:02}"));
        let mounted = registry.mount_from_any(&new, &digest, late, true).await.unwrap();
        let from = format!("z{at:02}");
        let wanted = found.then_some(from.as_str());
        assert_eq!(mounted.as_ref().map(RepositoryName::as_str), wanted, "{before} before, and then {at}");
        assert_eq!(registry.blob_size(&new, &digest).await.is_ok(), found);
    }
}

// registry C21: what one may not pull is not there, however near it is
#[tokio::test]
async fn a_blob_of_a_repository_that_one_may_not_pull_is_not_mounted() {
    let registry = registry(&names('a', 2)).await;
    let new: RepositoryName = "new".parse().unwrap();
    for digest in [blob("a00"), blob("never pushed")] {
        assert_eq!(registry.mount_from_any(&new, &digest, late, true).await.unwrap(), None);
        assert!(registry.blob_size(&new, &digest).await.is_err());
    }
}

/// How often the store was asked something.
#[derive(Default)]
struct Asked(AtomicUsize);

impl Hook for Asked {
    fn before<'a>(&'a self, _call: Call, _key: &'a str) -> Answer<'a, ()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        ready(Ok(())).boxed()
    }
}

// registry A11 C21: nor does the time tell that it is somewhere else
#[tokio::test]
async fn what_is_hidden_is_as_much_work_as_what_is_nowhere() {
    let store = Arc::new(Hooked::<Asked>::default());
    let registry = filled(store.clone(), &[names('a', 2), names('z', 2)].concat()).await;
    let new: RepositoryName = "new".parse().unwrap();
    let asked = async |digest: &Digest, is_hidden: bool| {
        let before = store.hook.0.load(Ordering::Relaxed);
        assert_eq!(registry.mount_from_any(&new, digest, late, is_hidden).await.unwrap(), None);
        store.hook.0.load(Ordering::Relaxed) - before
    };
    let (hidden, nowhere) = (blob("a00"), blob("never pushed"));
    assert_eq!(asked(&hidden, true).await, asked(&nowhere, true).await);
    // Where nothing is hidden one question is enough.
    assert_eq!(asked(&nowhere, false).await, 1);
}

// registry D31: a manifest may name the same content many times, or much that is not there
#[tokio::test]
async fn what_a_manifest_names_again_is_not_looked_for_again() {
    const NAMED: usize = 20_000;
    let store = Arc::new(Hooked::<Asked>::default());
    let registry = filled(store.clone(), &names('z', 1)).await;
    let name: RepositoryName = "z00".parse().unwrap();
    let put = async |layers: Vec<Digest>| {
        let layer = |digest| serde_json::json!({ "mediaType": "x/y", "size": 1, "digest": digest });
        let layers: Vec<_> = layers.iter().map(|digest| layer(digest.to_string())).collect();
        let config = layer(blob("z00").to_string());
        let manifest = serde_json::json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers });
        let push = Push {
            reference: Reference::Tag("t".parse().unwrap()),
            tags: Vec::new(),
            content_type: None,
            completeness: Completeness::default(),
            terms: Terms::default(),
            bytes: manifest.to_string().into(),
        };
        let before = store.hook.0.load(Ordering::Relaxed);
        let pushed = registry.put_manifest(&name, push).await;
        (pushed, store.hook.0.load(Ordering::Relaxed) - before)
    };
    let (pushed, questions) = put(vec![blob("z00"); NAMED]).await;
    assert!(pushed.is_ok() && questions < 50, "{questions}");
    let absent: Vec<Digest> = (0..NAMED).map(|number| blob(&format!("absent {number}"))).collect();
    let (refused, questions) = put([absent.clone(), absent.clone()].concat()).await;
    let Err(RegistryError::ContentMissing(missing)) = refused else { panic!("it was taken") };
    assert!(missing == absent, "{} of {NAMED}", missing.len());
    assert!(questions < NAMED + 10, "{questions}");
}
