//! Which store is read and written: a volume that is gone leaves an empty folder in its place.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::{
    metrics,
    registry::{
        error::RegistryError,
        identity,
        looks::Looks,
        trouble::{Seen, Trouble},
    },
    storage::backend::Backend,
};

/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the store has to be, and what it was at the last look.
#[derive(Default)]
pub struct Guard {
    expected: Option<String>,
    initialize: AtomicBool,
    right: AtomicBool,
    wrong: AtomicBool,
    looks: Looks,
}

impl Guard {
    /// Expects this identity, which the store gets at the first look if `initialize` says so.
    pub fn new(expected: Option<&str>, initialize: bool) -> Self {
        Self { expected: expected.map(str::to_owned), initialize: initialize.into(), ..Self::default() }
    }

    /// Whether any store will do.
    pub fn expects_nothing(&self) -> bool {
        self.expected.is_none()
    }

    /// Whether the last look that found an answer found the right one.
    pub fn trusted(&self) -> bool {
        self.expects_nothing() || self.right.load(Ordering::Relaxed)
    }

    /// What one look shows, which may have begun `age` ago if it showed nothing wrong.
    pub async fn see(&self, store: &dyn Backend, age: Duration) -> Seen {
        let look = async {
            let seen = tokio::time::timeout(PATIENCE, self.judge(store)).await;
            let seen = seen.unwrap_or(Err(Trouble::Silent));
            metrics::store_trouble(seen.err().map(Trouble::kind));
            seen
        };
        self.looks.see(age, look).await
    }

    async fn judge(&self, store: &dyn Backend) -> Seen {
        let looked = match self.expected {
            Some(_) => self.look(store).await,
            None => identity::read(store).await.map(drop),
        };
        // One that has said the right name is there.
        if looked.is_err() || self.expects_nothing() {
            store.there().await.map_err(RegistryError::from)?;
        }
        Ok(looked?)
    }

    /// Looks at the store. One that does not answer is as good as it was.
    pub async fn look(&self, store: &dyn Backend) -> Result<(), RegistryError> {
        let Some(expected) = &self.expected else { return Ok(()) };
        let seen = identity::require(store, expected, self.initialize.load(Ordering::Relaxed)).await;
        match &seen {
            Ok(()) => {
                self.initialize.store(false, Ordering::Relaxed);
                self.wrong.store(false, Ordering::Relaxed);
                if !self.right.swap(true, Ordering::Relaxed) {
                    tracing::info!(identity = expected, "the store is the expected one");
                }
            }
            Err(wrong @ RegistryError::WrongStore { .. }) => {
                self.right.store(false, Ordering::Relaxed);
                if !self.wrong.swap(true, Ordering::Relaxed) {
                    tracing::error!("nothing is served or written: {wrong}");
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
