//! Content on its way into repositories that have a limit. It needs its room before its link is there.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::oci::{digest::Digest, repository_name::RepositoryName};

type Key = (RepositoryName, Digest);

/// All of it, by repository and digest.
#[derive(Clone, Default)]
pub struct Coming(Arc<Mutex<HashMap<Key, Content>>>);

struct Content {
    bytes: u64,
    /// How many bring it. It needs room once.
    pushes: usize,
    /// Whether the last count of its repository has it.
    counted: bool,
}

impl Coming {
    fn all(&self) -> MutexGuard<'_, HashMap<Key, Content>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for content that somebody else brings, too.
    pub fn join(&self, name: &RepositoryName, digest: &Digest) -> Option<Place> {
        let key = (name.clone(), digest.clone());
        self.all().get_mut(&key)?.pushes += 1;
        Some(Place { coming: self.clone(), key })
    }

    /// A place for content that nobody else brings.
    pub fn begin(&self, name: &RepositoryName, digest: &Digest, bytes: u64) -> Place {
        let key = (name.clone(), digest.clone());
        self.all().insert(key.clone(), Content { bytes, pushes: 1, counted: false });
        Place { coming: self.clone(), key }
    }

    /// Bytes that the last count of the repository does not have.
    pub fn bytes(&self, name: &RepositoryName) -> u64 {
        let all = self.all();
        let here = all.iter().filter(|((one, _), content)| one == name && !content.counted);
        here.fold(0, |sum: u64, (_, content)| sum.saturating_add(content.bytes))
    }

    /// A count of the repository has these.
    pub fn counted(&self, name: &RepositoryName, seen: &HashSet<Digest>) {
        let mut all = self.all();
        for ((_, digest), content) in all.iter_mut().filter(|((one, _), _)| one == name) {
            content.counted = seen.contains(digest);
        }
    }
}

/// Room for content, until it is dropped.
pub struct Place {
    coming: Coming,
    key: Key,
}

impl Place {
    /// The repository.
    pub fn repository(&self) -> &RepositoryName {
        &self.key.0
    }

    /// The content is there: bytes that the last count has to get.
    pub fn arrived(&self) -> u64 {
        match self.coming.all().get_mut(&self.key) {
            Some(content) if !content.counted => {
                content.counted = true;
                content.bytes
            }
            _ => 0,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.coming.all();
        if let Some(content) = all.get_mut(&self.key) {
            content.pushes -= 1;
            if content.pushes == 0 {
                all.remove(&self.key);
            }
        }
    }
}
