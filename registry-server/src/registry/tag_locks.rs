//! One writer at a time for each tag, within this process.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::oci::{repository_name::RepositoryName, tag::Tag};

/// Tags share this many locks.
const LOCKS: usize = 256;

/// The locks of all tags.
#[derive(Clone)]
pub struct TagLocks {
    locks: Arc<[Arc<Mutex<()>>]>,
    spread: RandomState,
}

impl Default for TagLocks {
    fn default() -> Self {
        Self { locks: (0..LOCKS).map(|_| Arc::default()).collect(), spread: RandomState::new() }
    }
}

impl TagLocks {
    /// Waits until no other writer has one of these tags. They are taken in one order, so nobody waits forever.
    pub async fn lock<'a>(
        &self,
        name: &RepositoryName,
        tags: impl IntoIterator<Item = &'a Tag>,
    ) -> Vec<OwnedMutexGuard<()>> {
        let place = |tag: &Tag| self.spread.hash_one((name, tag)) as usize % LOCKS;
        let places: BTreeSet<usize> = tags.into_iter().map(place).collect();
        let mut held = Vec::with_capacity(places.len());
        for place in places {
            held.push(Arc::clone(&self.locks[place]).lock_owned().await);
        }
        held
    }
}
