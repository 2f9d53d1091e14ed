//! One writer at a time for each tag and each manifest of a repository, within this process.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, Hash, RandomState},
    sync::Arc,
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::oci::{digest::Digest, repository_name::RepositoryName, tag::Tag};

/// Tags share this many locks, and manifests as many of their own.
const LOCKS: usize = 256;

type Shared = Arc<[Arc<Mutex<()>>]>;

/// Something that is held until it is dropped.
pub type Held = Vec<OwnedMutexGuard<()>>;

/// The locks of all tags and manifests. Whoever needs both takes the manifest's first; so nobody waits forever.
#[derive(Clone)]
pub struct Locks {
    tags: Shared,
    manifests: Shared,
    repositories: Shared,
    spread: RandomState,
}

impl Default for Locks {
    fn default() -> Self {
        let locks = || (0..LOCKS).map(|_| Arc::default()).collect();
        Self { tags: locks(), manifests: locks(), repositories: locks(), spread: RandomState::new() }
    }
}

impl Locks {
    fn place(&self, what: impl Hash) -> usize {
        self.spread.hash_one(what) as usize % LOCKS
    }

    /// Waits until no other writer has one of these tags. They are taken in one order.
    pub async fn tags<'a>(&self, name: &RepositoryName, tags: impl IntoIterator<Item = &'a Tag>) -> Held {
        let places: BTreeSet<usize> = tags.into_iter().map(|tag| self.place((name, tag))).collect();
        let mut held = Vec::with_capacity(places.len());
        for place in places {
            held.push(Arc::clone(&self.tags[place]).lock_owned().await);
        }
        held
    }

    /// Waits until nobody else counts what the repository holds. Nothing else is waited for meanwhile.
    pub async fn repository(&self, name: &RepositoryName) -> Held {
        vec![Arc::clone(&self.repositories[self.place(name)]).lock_owned().await]
    }

    /// Waits until no other writer has this manifest.
    pub async fn manifest(&self, name: &RepositoryName, digest: &Digest) -> Held {
        vec![Arc::clone(&self.manifests[self.place((name, digest))]).lock_owned().await]
    }
}
