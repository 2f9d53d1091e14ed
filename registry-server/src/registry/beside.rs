//! A long chunk whose length shows at its end only, and may not be what its range says.
//!
//! Bytes of an upload stay what they are once they are counted: what is moved under a digest is what was hashed. So
//! nothing is taken back from an upload; such a chunk waits in one of its own until it has proved to be right.

use bytes::Bytes;
use futures::Stream;
use uuid::Uuid;

use crate::{
    oci::repository_name::RepositoryName,
    registry::{
        aside::to_its_end,
        error::RegistryError,
        layout,
        service::Registry,
        upload_sink::Received,
        uploads::{BodyError, Chunk},
    },
    storage::error::StorageError,
};

/// A chunk that has not been moved. Nobody but us knows of it: it goes with the request, however that ends.
struct Leftover(Option<(Registry, RepositoryName, Uuid)>);

impl Leftover {
    fn of(registry: &Registry, name: &RepositoryName, id: Uuid) -> Self {
        Self(Some((registry.clone(), name.clone(), id)))
    }

    async fn remove(mut self) {
        if let Some((registry, name, id)) = self.0.take() {
            remove(&registry, &name, id).await;
        }
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let Some((registry, name, id)) = self.0.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { remove(&registry, &name, id).await });
        }
    }
}

async fn remove(registry: &Registry, name: &RepositoryName, id: Uuid) {
    if let Err(error) = registry.remove_upload(name, id).await {
        tracing::warn!(repository = name.as_str(), upload = %id, %error, "a chunk is left over");
    }
}

impl Registry {
    /// Takes in all of a chunk or nothing.
    pub(in crate::registry) async fn receive_beside<E: BodyError>(
        &self,
        name: &RepositoryName,
        id: Uuid,
        chunk: Chunk,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Received, RegistryError> {
        let start = self.start_of(name, id, &chunk).await?;
        let beside = self.open_upload(name, None).await?;
        let leftover = Leftover::of(self, name, beside);
        let alone = Chunk {
            range: chunk.range.map(|(first, last)| (0, last - first)),
            limit: chunk.limit.map(|limit| limit.saturating_sub(start)),
            ..chunk
        };
        let arrived = self.receive_straight(name, beside, alone, body).await;
        let (registry, name) = (self.clone(), name.clone());
        to_its_end(async move {
            let done = match arrived {
                Ok(received) => registry.move_over(&name, (beside, received.size), id, chunk).await,
                Err(error) => Err(registry.refused(&name, id, chunk, error).await),
            };
            leftover.remove().await;
            done
        })
        .await
    }

    async fn move_over(
        &self,
        name: &RepositoryName,
        (beside, size): (Uuid, u64),
        id: Uuid,
        chunk: Chunk,
    ) -> Result<Received, RegistryError> {
        let bytes = self.store.stream_appended(&layout::upload_data(name, beside), 0..size).await?;
        let bytes = bytes.ok_or(RegistryError::UploadUnknown)?;
        let moved = self.receive_straight(name, id, chunk, bytes).await;
        moved.map_err(|error| match error {
            RegistryError::Body(source) => match source.downcast::<StorageError>() {
                Ok(failed) => RegistryError::from(*failed),
                Err(source) => RegistryError::Body(source),
            },
            other => other,
        })
    }

    /// What ends an upload ends the one that the chunk was for.
    async fn refused(
        &self,
        name: &RepositoryName,
        id: Uuid,
        chunk: Chunk,
        error: RegistryError,
    ) -> RegistryError {
        let ending = match error {
            RegistryError::BlobTooLarge { limit } => {
                RegistryError::BlobTooLarge { limit: chunk.limit.unwrap_or(limit) }
            }
            RegistryError::TooManyPieces { .. } => error,
            other => return other,
        };
        match self.cancel_upload(name, id).await {
            Err(RegistryError::UploadUnknown) => RegistryError::UploadUnknown,
            _ => ending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use futures::{StreamExt, stream};

    use super::*;
    use crate::{
        registry::metadata::FromStore,
        storage::{backend::Backend, memory::Memory},
    };

    // registry C21 C30: a client that leaves in the middle leaves nothing that only we know of
    #[tokio::test]
    async fn a_request_that_is_given_up_leaves_no_chunk() {
        let store: Arc<dyn Backend> = Arc::new(Memory::default());
        let registry = Registry::new(Arc::clone(&store), Arc::new(FromStore(Arc::clone(&store))));
        let name: RepositoryName = "n".parse().unwrap();
        let id = registry.begin_upload(&name, None).await.unwrap();
        let count = async || store.list(&layout::uploads(&name)).await.unwrap().len();
        let (sent, mut begun) = tokio::sync::mpsc::channel(1);
        let piece = vec![b'x'; store.piece() + 1];
        let first = stream::once(async move {
            sent.send(()).await.unwrap();
            Ok::<_, Infallible>(Bytes::from(piece))
        });
        let body = Box::pin(first.chain(stream::pending()));
        let chunk = Chunk { range: Some((0, u64::MAX / 2)), streamed: true, ..Chunk::default() };
        let (given_up, at) = (registry.clone(), name.clone());
        let request =
            tokio::spawn(async move { given_up.receive_upload(&at, id, chunk, body).await.map(drop) });
        begun.recv().await.unwrap();
        assert_eq!(count().await, 2, "it does not wait beside");
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        while count().await > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(registry.upload_size(&name, id).await.unwrap(), 0);
    }
}
