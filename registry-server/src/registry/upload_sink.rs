//! Where the bytes of an upload go while they arrive.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryFutureExt};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    oci::{hasher::Hasher, repository_name::RepositoryName},
    registry::{
        error::RegistryError,
        layout,
        service::Registry,
        trouble::Trouble,
        upload_hash::hash_aside,
        uploads::{BodyError, Chunk},
    },
    storage::error::StorageError,
};

/// Room that is made for frames before they come.
const RESERVED: usize = 1 << 20;
/// The hash is written down this often while bytes arrive: it also says that the upload lives.
const SAVED_BYTES: u64 = 256 << 20;
pub(in crate::registry) const SAVED_TIME: Duration = Duration::from_secs(60);

/// What a request has brought of an upload.
pub struct Received {
    /// Where it began.
    pub(in crate::registry) start: u64,
    /// Bytes of the upload so far.
    pub(in crate::registry) size: u64,
    /// Their hash.
    pub(in crate::registry) hasher: Hasher,
}

/// An upload while bytes arrive.
pub(in crate::registry) struct Sink<'a> {
    registry: &'a Registry,
    name: &'a RepositoryName,
    id: Uuid,
    start: u64,
    size: u64,
    /// Absent while a piece is hashed, and for good after one failed.
    hasher: Option<Hasher>,
    saved: (u64, Instant),
}

impl<'a> Sink<'a> {
    pub(in crate::registry) fn new(
        registry: &'a Registry,
        name: &'a RepositoryName,
        id: Uuid,
        (start, hasher): (u64, Hasher),
    ) -> Self {
        let saved = (start, Instant::now());
        Self { registry, name, id, start, size: start, hasher: Some(hasher), saved }
    }

    /// What has come, unless a piece of it failed.
    pub(in crate::registry) fn received(self) -> Option<Received> {
        Some(Received { start: self.start, size: self.size, hasher: self.hasher? })
    }

    /// Takes a body in. Bytes that arrived before a failure are kept. Of a body that is not as long as its range says
    /// no piece is written: it is shorter than one, or its length was known before.
    pub(in crate::registry) async fn take<E: BodyError>(
        &mut self,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
        chunk: &Chunk,
    ) -> Result<(), RegistryError> {
        // Frames of a request are gathered before they cross threads or networks.
        let piece = self.registry.store.piece();
        let mut gathered = BytesMut::new();
        let ended = loop {
            match body.next().await {
                None => break Ok(()),
                Some(Err(e)) => break Err(RegistryError::Body(e.into())),
                Some(Ok(frame)) => gathered.extend_from_slice(&frame),
            }
            let size = self.size + gathered.len() as u64;
            if let Some(limit) = chunk.limit.filter(|limit| size > *limit) {
                return Err(RegistryError::BlobTooLarge { limit });
            }
            if let Some(room) = chunk.room {
                room.fit(size)?;
            }
            chunk.exceeded(size - self.start)?;
            if gathered.len() >= piece {
                self.store(gathered.split().freeze()).await?;
                gathered.reserve(piece.min(RESERVED));
            }
        };
        if ended.is_ok() {
            chunk.judge(self.size - self.start + gathered.len() as u64)?;
        }
        if !gathered.is_empty() {
            self.store(gathered.freeze()).await?;
        }
        ended
    }

    /// Hashes and writes side by side.
    async fn store(&mut self, bytes: Bytes) -> Result<(), RegistryError> {
        // It may be long since the request began, and the volume may have gone.
        if !self.registry.trusted() {
            return Err(Trouble::Wrong.into());
        }
        let Some(hasher) = self.hasher.take() else { return Err(RegistryError::UploadUnknown) };
        let data = layout::upload_data(self.name, self.id);
        let length = bytes.len() as u64;
        let writing = self.registry.store.append(&data, self.size, bytes.clone());
        let writing = writing.map_err(|e| match e {
            StorageError::Conflict { offset, .. } => RegistryError::OutOfOrder { received: offset },
            other => other.into(),
        });
        let (hasher, ()) = tokio::try_join!(hash_aside(hasher, bytes), writing)?;
        self.size += length;
        if self.size - self.saved.0 >= SAVED_BYTES || self.saved.1.elapsed() >= SAVED_TIME {
            self.registry.save_hash(self.name, self.id, &hasher, self.size).await?;
            self.saved = (self.size, Instant::now());
        }
        self.hasher = Some(hasher);
        Ok(())
    }
}
