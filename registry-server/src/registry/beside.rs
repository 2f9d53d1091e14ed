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
            if let Err(error) = registry.remove_upload(&name, beside).await {
                tracing::warn!(repository = name.as_str(), upload = %beside, %error, "a chunk is left over");
            }
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
