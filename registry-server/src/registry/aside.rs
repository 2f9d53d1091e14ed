//! Work that goes on when whoever asked for it has left.

use std::{future::Future, panic};

use tracing::Instrument as _;

use crate::registry::error::RegistryError;

/// Does the work on a task of its own, so that a client that leaves leaves nothing half done.
pub async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, RegistryError>> + Send + 'static,
) -> Result<T, RegistryError> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => done,
        Err(failed) if failed.is_panic() => panic::resume_unwind(failed.into_panic()),
        Err(ended) => Err(RegistryError::Body(Box::new(ended))),
    }
}
