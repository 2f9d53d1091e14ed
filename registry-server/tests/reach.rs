//! Sections 4 and 17 below HTTP: how far a question goes that is about no repository in particular.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{sync::Arc, time::Duration};

use registry_server::{
    oci::{
        digest::{Algorithm, Digest},
        hasher::Hasher,
        repository_name::RepositoryName,
    },
    registry::{layout, metadata::FromStore, reach::Reach, service::Registry},
    storage::{backend::Backend, memory::Memory},
};

const REACH: Reach = Reach { mounts: 3, searches: 4, folders: 20, patience: Duration::from_secs(600) };

/// Whoever asks here may see what comes last, and nothing else.
fn late(name: &str) -> bool {
    name.starts_with('z')
}

/// A registry whose repositories have these names, each with a blob of its own.
async fn registry(names: &[String]) -> Registry {
    let store: Arc<dyn Backend> = Arc::new(Memory::default());
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
        let mounted = registry.mount_from_any(&new, &digest, late).await.unwrap();
        assert_eq!(mounted, found, "{before} before, and then {at}");
        assert_eq!(registry.blob_size(&new, &digest).await.is_ok(), found);
    }
}

// registry C21: what one may not pull is not there, however near it is
#[tokio::test]
async fn a_blob_of_a_repository_that_one_may_not_pull_is_not_mounted() {
    let registry = registry(&names('a', 2)).await;
    let new: RepositoryName = "new".parse().unwrap();
    for digest in [blob("a00"), blob("never pushed")] {
        assert!(!registry.mount_from_any(&new, &digest, late).await.unwrap());
        assert!(registry.blob_size(&new, &digest).await.is_err());
    }
}
