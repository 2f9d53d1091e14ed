//! Which store is written to: a volume that is gone leaves an empty folder in its place.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    registry::{error::RegistryError, identity},
    storage::backend::Backend,
};

/// What the store has to be, and what it was at the last look.
#[derive(Default)]
pub struct Guard {
    expected: Option<String>,
    initialize: AtomicBool,
    right: AtomicBool,
}

impl Guard {
    /// Expects this identity, which the store gets at the first look if `initialize` says so.
    pub fn new(expected: Option<&str>, initialize: bool) -> Self {
        let expected = expected.map(str::to_owned);
        Self { expected, initialize: initialize.into(), right: AtomicBool::default() }
    }

    /// Whether this is what the store must say.
    pub fn expects(&self, found: Option<&str>) -> bool {
        self.expected.is_none() || self.expected.as_deref() == found
    }

    /// Whether the last look that found an answer found the right one.
    pub fn trusted(&self) -> bool {
        self.expected.is_none() || self.right.load(Ordering::Relaxed)
    }

    /// Looks at the store. One that does not answer is as good as it was.
    pub async fn look(&self, store: &dyn Backend) -> Result<(), RegistryError> {
        let Some(expected) = &self.expected else { return Ok(()) };
        let seen = identity::require(store, expected, self.initialize.load(Ordering::Relaxed)).await;
        match &seen {
            Ok(()) => {
                self.initialize.store(false, Ordering::Relaxed);
                if !self.right.swap(true, Ordering::Relaxed) {
                    tracing::info!(identity = expected, "the store is the expected one");
                }
            }
            Err(wrong @ RegistryError::WrongStore { .. }) => {
                if self.right.swap(false, Ordering::Relaxed) {
                    tracing::error!("no more writes: {wrong}");
                }
            }
            Err(_) => {}
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{registry::layout, storage::memory::Memory};

    // registry ST3
    #[tokio::test]
    async fn a_store_that_is_exchanged_is_not_trusted_and_not_made_ours() {
        let store = Memory::default();
        let guard = Guard::new(Some("one"), true);
        assert!(!guard.trusted());
        guard.look(&store).await.unwrap();
        assert!(guard.trusted());
        store.delete(layout::IDENTITY).await.unwrap();
        assert!(guard.look(&store).await.is_err() && !guard.trusted());
        assert_eq!(store.read(layout::IDENTITY).await.unwrap(), None);
        store.put(layout::IDENTITY, "one".into()).await.unwrap();
        assert!(guard.look(&store).await.is_ok() && guard.trusted());
        assert!(Guard::default().trusted());
    }
}
