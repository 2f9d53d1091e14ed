//! The registry as one object. Its verbs are in the files named after their nouns.

use std::sync::Arc;

use crate::{
    registry::{error::RegistryError, guard::Guard, identity, locks::Locks, metadata::Metadata},
    storage::{backend::Backend, error::Gone},
};

/// Questions to the store that run side by side for one request.
pub(in crate::registry) const AT_ONCE: usize = 32;

/// All repositories of one store.
#[derive(Clone)]
pub struct Registry {
    pub(in crate::registry) store: Arc<dyn Backend>,
    pub(in crate::registry) metadata: Arc<dyn Metadata>,
    pub(in crate::registry) locks: Locks,
    guard: Arc<Guard>,
}

impl Registry {
    /// The registry in `store`, whose small facts are read through `metadata`.
    pub fn new(store: Arc<dyn Backend>, metadata: Arc<dyn Metadata>) -> Self {
        Self { store, metadata, locks: Locks::default(), guard: Arc::default() }
    }

    /// Ready, and open for writes, only while the store carries this identity. One that has another becomes the
    /// expected one at the first look when `initialize` says so.
    pub fn expecting(mut self, identity: Option<&str>, initialize: bool) -> Self {
        self.guard = Arc::new(Guard::new(identity, initialize));
        self
    }

    /// Whether the store is there, answers, and is the expected one; if not, what it is that it does not do.
    pub async fn ready(&self) -> Result<(), String> {
        let asked = async {
            self.store.there().await?;
            identity::read(&*self.store).await
        };
        match asked.await {
            Ok(found) if self.guard.expects(found.as_deref()) => Ok(()),
            Ok(_) => Err("the store is not the expected one".to_owned()),
            Err(error) if error.store_is_gone() => Err(Gone.to_string()),
            Err(_) => Err("the store does not answer".to_owned()),
        }
    }

    /// Looks at the store's identity, for [`Registry::trusted`].
    pub async fn look(&self) -> Result<(), RegistryError> {
        self.guard.look(&*self.store).await
    }

    /// Whether the store was the expected one at the last look. Nothing is written into another.
    pub fn trusted(&self) -> bool {
        self.guard.trusted()
    }
}
