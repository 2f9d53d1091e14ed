//! The registry as one object. Its verbs are in the files named after their nouns.

use std::{sync::Arc, time::Duration};

use crate::{
    registry::{
        error::RegistryError, guard::Guard, locks::Locks, metadata::Metadata, quota::Counts, reach::Reach,
        trouble::Seen,
    },
    storage::backend::{Backend, Space},
};

/// Questions to the store that run side by side for one request.
pub(in crate::registry) const AT_ONCE: usize = 32;

/// How old an answer may be where nothing depends on this very moment.
pub const LATELY: Duration = Duration::from_secs(1);

/// All repositories of one store.
#[derive(Clone)]
pub struct Registry {
    pub(in crate::registry) store: Arc<dyn Backend>,
    pub(in crate::registry) metadata: Arc<dyn Metadata>,
    pub(in crate::registry) locks: Locks,
    pub(in crate::registry) counts: Counts,
    pub(in crate::registry) quota: Option<u64>,
    pub(in crate::registry) redirects: Option<Duration>,
    pub(in crate::registry) reach: Reach,
    guard: Arc<Guard>,
}

impl Registry {
    /// The registry in `store`, whose small facts are read through `metadata`.
    pub fn new(store: Arc<dyn Backend>, metadata: Arc<dyn Metadata>) -> Self {
        let (locks, counts, guard) = (Locks::default(), Counts::default(), Arc::default());
        let reach = Reach::default();
        Self { store, metadata, locks, counts, quota: None, redirects: None, reach, guard }
    }

    /// Clients may fetch blobs from the store itself, at URLs that are good for so long.
    pub fn redirecting(mut self, valid: Option<Duration>) -> Self {
        self.redirects = valid;
        self
    }

    /// Looks so far for what may be anywhere.
    pub fn reaching(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// Ready, and open for writes, only while the store carries this identity. One that has another becomes the
    /// expected one at the first look when `initialize` says so.
    pub fn expecting(mut self, identity: Option<&str>, initialize: bool) -> Self {
        self.guard = Arc::new(Guard::new(identity, initialize));
        self
    }

    /// Whether the store is there, answers, and is the expected one. A look that began less than `age` ago is good
    /// enough.
    pub async fn ready(&self, age: Duration) -> Seen {
        self.guard.see(&*self.store, age).await
    }

    /// Whether the store is the expected one now, for who has something to say about what is missing in it. With an
    /// identity only a look counts that begins after it was missed: the volume may have gone a moment ago. Without one
    /// nobody could tell, and the store itself sees to it that it is there; a bucket does not vanish between two looks.
    pub async fn confirm(&self) -> Seen {
        let age = if self.guard.expects_nothing() { LATELY } else { Duration::ZERO };
        self.ready(age).await
    }

    /// How much room the store has, where it can tell. Waits as long as the store does.
    pub async fn space(&self) -> Option<Space> {
        self.store.space().await.ok().flatten()
    }

    /// Whether something may be written into the store now.
    pub async fn writable(&self) -> Seen {
        if self.guard.expects_nothing() { Ok(()) } else { self.confirm().await }
    }

    /// Looks at the store's identity, for [`Registry::trusted`].
    pub async fn look(&self) -> Result<(), RegistryError> {
        self.guard.look(&*self.store).await
    }

    /// Whether the store was the expected one at the last look. Nothing is written into another, or read from it.
    pub fn trusted(&self) -> bool {
        self.guard.trusted()
    }
}
