//! Uploads: begin, append, look, finish, cancel. All of an upload is in the store.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryFutureExt};
use uuid::Uuid;

use crate::{
    oci::{
        digest::{Algorithm, Digest},
        hasher::Hasher,
        repository_name::RepositoryName,
    },
    registry::{error::RegistryError, layout, service::Registry, upload_hash::hash_aside},
    storage::error::StorageError,
};

/// Room that is made for frames before they come.
const RESERVED: usize = 1 << 20;

/// What a client says about the bytes that it sends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chunk {
    /// First and last byte, counted from the upload's start.
    pub range: Option<(u64, u64)>,
    /// Largest blob that is taken.
    pub limit: Option<u64>,
}

impl Registry {
    /// Opens a session.
    pub async fn begin_upload(
        &self,
        name: &RepositoryName,
        algorithm: Option<Algorithm>,
    ) -> Result<Uuid, RegistryError> {
        let id = Uuid::new_v4();
        if let Some(algorithm) = algorithm.filter(|a| *a != Algorithm::Sha256) {
            self.save_hash(name, id, &Hasher::new(algorithm), 0).await?;
        }
        let now = jiff::Timestamp::now().to_string();
        self.store.put(&layout::upload_started(name, id), now.into()).await?;
        Ok(id)
    }

    /// Bytes received so far.
    pub async fn upload_size(&self, name: &RepositoryName, id: Uuid) -> Result<u64, RegistryError> {
        if self.store.stat(&layout::upload_started(name, id)).await?.is_none() {
            return Err(RegistryError::UploadUnknown);
        }
        Ok(self.store.appended(&layout::upload_data(name, id)).await?.unwrap_or(0))
    }

    /// Takes in more bytes; gives the size afterwards. Bytes that arrived before a failure are kept.
    pub async fn append_upload<E>(
        &self,
        name: &RepositoryName,
        id: Uuid,
        chunk: Chunk,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<u64, RegistryError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let start = self.upload_size(name, id).await?;
        if chunk.range.is_some_and(|(first, _)| first != start) {
            return Err(RegistryError::OutOfOrder { received: start });
        }
        let hasher = self.hash_so_far(name, id, start, None).await?;
        let mut sink = Sink { registry: self, name, id, size: start, hasher: Some(hasher) };
        let taken = sink.take(body, chunk.limit).await;
        if let Some(hasher) = sink.hasher.as_ref().filter(|_| sink.size > start) {
            self.save_hash(name, id, hasher, sink.size).await?;
        }
        if let Err(RegistryError::BlobTooLarge { .. }) = taken {
            self.cancel_upload(name, id).await?;
        }
        taken?;
        match chunk.range {
            Some((first, last)) if last + 1 - first != sink.size - start => {
                let (announced, received) = (last + 1 - first, sink.size - start);
                Err(RegistryError::SizeMismatch { announced, received })
            }
            _ => Ok(sink.size),
        }
    }

    /// Compares the digest and makes the upload a blob of the repository.
    pub async fn finish_upload(
        &self,
        name: &RepositoryName,
        id: Uuid,
        wanted: &Digest,
    ) -> Result<(), RegistryError> {
        let size = self.upload_size(name, id).await?;
        let actual = self.hash_so_far(name, id, size, Some(wanted.algorithm())).await?.finish();
        if actual != *wanted {
            self.cancel_upload(name, id).await?;
            return Err(RegistryError::DigestMismatch { wanted: wanted.clone(), actual });
        }
        let data = layout::upload_data(name, id);
        if size == 0 {
            self.store.put(&layout::blob(wanted), Bytes::new()).await?;
        } else {
            match self.store.commit(&data, &layout::blob(wanted), size).await {
                Err(StorageError::Missing { .. }) => return Err(RegistryError::UploadUnknown),
                Err(StorageError::Conflict { .. }) => {
                    return Err(RegistryError::OutOfOrder { received: self.upload_size(name, id).await? });
                }
                done => done?,
            }
        }
        self.write_link(&layout::link(&layout::layer(name, wanted)), wanted).await?;
        self.store.delete(&layout::upload(name, id)).await?;
        Ok(())
    }

    /// Drops a session.
    pub async fn cancel_upload(&self, name: &RepositoryName, id: Uuid) -> Result<(), RegistryError> {
        self.upload_size(name, id).await?;
        self.store.delete(&layout::upload(name, id)).await?;
        Ok(())
    }
}

/// An upload while bytes arrive.
struct Sink<'a> {
    registry: &'a Registry,
    name: &'a RepositoryName,
    id: Uuid,
    size: u64,
    hasher: Option<Hasher>,
}

impl Sink<'_> {
    async fn take<E>(
        &mut self,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
        limit: Option<u64>,
    ) -> Result<(), RegistryError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // Frames of a request are gathered before they cross threads or networks.
        let piece = self.registry.store.piece();
        let mut gathered = BytesMut::new();
        let ended = loop {
            match body.next().await {
                None => break Ok(()),
                Some(Err(e)) => break Err(RegistryError::Body(e.into())),
                Some(Ok(frame)) => gathered.extend_from_slice(&frame),
            }
            if let Some(limit) = limit.filter(|limit| self.size + gathered.len() as u64 > *limit) {
                return Err(RegistryError::BlobTooLarge { limit });
            }
            if gathered.len() >= piece {
                self.store(gathered.split().freeze()).await?;
                gathered.reserve(piece.min(RESERVED));
            }
        };
        if !gathered.is_empty() {
            self.store(gathered.freeze()).await?;
        }
        ended
    }

    /// Hashes and writes side by side.
    async fn store(&mut self, bytes: Bytes) -> Result<(), RegistryError> {
        let Some(hasher) = self.hasher.take() else { return Err(RegistryError::UploadUnknown) };
        let data = layout::upload_data(self.name, self.id);
        let length = bytes.len() as u64;
        let writing = self.registry.store.append(&data, self.size, bytes.clone());
        let writing = writing.map_err(|e| match e {
            StorageError::Conflict { offset, .. } => RegistryError::OutOfOrder { received: offset },
            other => other.into(),
        });
        let (hasher, ()) = tokio::try_join!(hash_aside(hasher, bytes), writing)?;
        self.hasher = Some(hasher);
        self.size += length;
        Ok(())
    }
}
