//! The registry as one object. Its verbs are in the files named after their nouns.

use std::sync::Arc;

use crate::{registry::metadata::Metadata, storage::backend::Backend};

/// All repositories of one store.
#[derive(Clone)]
pub struct Registry {
    pub(in crate::registry) store: Arc<dyn Backend>,
    pub(in crate::registry) metadata: Arc<dyn Metadata>,
}

impl Registry {
    /// The registry in `store`, whose small facts are read through `metadata`.
    pub fn new(store: Arc<dyn Backend>, metadata: Arc<dyn Metadata>) -> Self {
        Self { store, metadata }
    }

    /// Whether the store answers.
    pub async fn ready(&self) -> bool {
        self.store.stat("docker/registry/v2/ready").await.is_ok()
    }
}
