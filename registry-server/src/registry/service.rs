//! The registry as one object. Its verbs are in the files named after their nouns.

use std::sync::Arc;

use crate::{
    registry::{identity, metadata::Metadata, tag_locks::TagLocks},
    storage::backend::Backend,
};

/// All repositories of one store.
#[derive(Clone)]
pub struct Registry {
    pub(in crate::registry) store: Arc<dyn Backend>,
    pub(in crate::registry) metadata: Arc<dyn Metadata>,
    pub(in crate::registry) tag_locks: TagLocks,
    identity: Option<Arc<str>>,
}

impl Registry {
    /// The registry in `store`, whose small facts are read through `metadata`.
    pub fn new(store: Arc<dyn Backend>, metadata: Arc<dyn Metadata>) -> Self {
        Self { store, metadata, tag_locks: TagLocks::default(), identity: None }
    }

    /// Ready only while the store carries this identity.
    pub fn expecting(mut self, identity: Option<&str>) -> Self {
        self.identity = identity.map(Arc::from);
        self
    }

    /// Whether the store answers, and is the expected one.
    pub async fn ready(&self) -> bool {
        let found = identity::read(&*self.store).await;
        found.is_ok_and(|found| self.identity.is_none() || self.identity.as_deref() == found.as_deref())
    }
}
