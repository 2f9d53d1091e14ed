//! Uploads: begin, look, append. All of an upload is in the store.

use bytes::Bytes;
use futures::Stream;
use uuid::Uuid;

use crate::{
    metrics,
    oci::{digest::Algorithm, hasher::Hasher, repository_name::RepositoryName},
    registry::{
        error::RegistryError,
        layout,
        quota::Room,
        service::Registry,
        upload_sink::{Received, Sink},
    },
};

/// Why a body may end too early.
pub trait BodyError: Into<Box<dyn std::error::Error + Send + Sync>> {}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> BodyError for E {}

/// What a client says about the bytes that it sends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chunk {
    /// First and last byte, counted from the upload's start.
    pub range: Option<(u64, u64)>,
    /// Largest blob that is taken.
    pub limit: Option<u64>,
    /// How much room there is for the upload.
    pub room: Option<Room>,
    /// Nothing but its end says how long the body is.
    pub streamed: bool,
}

impl Chunk {
    fn announced(&self) -> Option<u64> {
        self.range.map(|(first, last)| (last - first).saturating_add(1))
    }

    /// Pieces of it would be written before it shows whether it is what its range says.
    fn must_wait(&self, piece: usize) -> bool {
        self.streamed && self.announced().is_some_and(|announced| announced >= piece as u64)
    }

    /// Not more bytes have come so far than were announced.
    pub(in crate::registry) fn exceeded(&self, received: u64) -> Result<(), RegistryError> {
        match self.announced() {
            Some(announced) if announced < received => {
                Err(RegistryError::SizeMismatch { announced, received })
            }
            _ => Ok(()),
        }
    }

    /// As many bytes came as were announced.
    pub(in crate::registry) fn judge(&self, received: u64) -> Result<(), RegistryError> {
        match self.announced() {
            Some(announced) if announced != received => {
                Err(RegistryError::SizeMismatch { announced, received })
            }
            _ => Ok(()),
        }
    }
}

impl Registry {
    /// Opens a session.
    pub async fn begin_upload(
        &self,
        name: &RepositoryName,
        algorithm: Option<Algorithm>,
    ) -> Result<Uuid, RegistryError> {
        let id = self.open_upload(name, algorithm).await?;
        metrics::upload("begun");
        Ok(id)
    }

    pub(in crate::registry) async fn open_upload(
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
        let ((), known) = tokio::try_join!(self.require_upload(name, id), self.hashed(name, id))?;
        Ok(self.store.appended(&layout::upload_data(name, id), known).await?.unwrap_or(0))
    }

    async fn require_upload(&self, name: &RepositoryName, id: Uuid) -> Result<(), RegistryError> {
        let started = self.store.stat(&layout::upload_started(name, id)).await?;
        started.map(drop).ok_or(RegistryError::UploadUnknown)
    }

    /// Takes in more bytes; gives the size afterwards. Bytes that arrived before a failure are kept, unless they came
    /// in a long chunk that did not say how long it was.
    pub async fn append_upload<E: BodyError>(
        &self,
        name: &RepositoryName,
        id: Uuid,
        chunk: Chunk,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<u64, RegistryError> {
        let received = self.receive_upload(name, id, chunk, body).await?;
        if received.size > received.start {
            self.save_hash(name, id, &received.hasher, received.size).await?;
            // Somebody may have ended the session meanwhile, and the bytes are nowhere.
            self.require_upload(name, id).await?;
        }
        Ok(received.size)
    }

    /// The same without a record of how far it came: for a request that ends the upload.
    pub async fn receive_upload<E: BodyError>(
        &self,
        name: &RepositoryName,
        id: Uuid,
        chunk: Chunk,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Received, RegistryError> {
        if chunk.must_wait(self.store.piece()) {
            return self.receive_beside(name, id, chunk, body).await;
        }
        self.receive_straight(name, id, chunk, body).await
    }

    /// Where the chunk begins, which is where the upload ends.
    pub(in crate::registry) async fn start_of(
        &self,
        name: &RepositoryName,
        id: Uuid,
        chunk: &Chunk,
    ) -> Result<u64, RegistryError> {
        let start = self.upload_size(name, id).await?;
        match chunk.range {
            Some((first, _)) if first != start => Err(RegistryError::OutOfOrder { received: start }),
            _ => Ok(start),
        }
    }

    pub(in crate::registry) async fn receive_straight<E: BodyError>(
        &self,
        name: &RepositoryName,
        id: Uuid,
        chunk: Chunk,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Received, RegistryError> {
        match self.take_in(name, id, chunk, body).await? {
            (Ok(()), Some(received)) => Ok(received),
            (Err(error), received) => Err(self.broken_off(name, id, error, received).await),
            (Ok(()), None) => Err(RegistryError::UploadUnknown),
        }
    }

    /// How it went, and what has come.
    pub(in crate::registry) async fn take_in<E: BodyError>(
        &self,
        name: &RepositoryName,
        id: Uuid,
        chunk: Chunk,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<(Result<(), RegistryError>, Option<Received>), RegistryError> {
        let start = self.start_of(name, id, &chunk).await?;
        let hasher = self.hash_so_far(name, id, start, None).await?;
        let mut sink = Sink::new(self, name, id, (start, hasher));
        let taken = sink.take(body, &chunk).await;
        Ok((taken, sink.received()))
    }

    /// What a request that failed leaves, and what is said about it.
    async fn broken_off(
        &self,
        name: &RepositoryName,
        id: Uuid,
        error: RegistryError,
        received: Option<Received>,
    ) -> RegistryError {
        let done = match (&error, received) {
            (
                RegistryError::BlobTooLarge { .. }
                | RegistryError::OverQuota { .. }
                | RegistryError::TooManyPieces { .. },
                _,
            ) => self.cancel_upload(name, id).await,
            // Another writer was faster, or has ended the session.
            (RegistryError::OutOfOrder { .. }, _) => match self.upload_size(name, id).await {
                Ok(received) => return RegistryError::OutOfOrder { received },
                Err(error) => Err(error),
            },
            // Nothing of ours is there.
            (RegistryError::Trouble(_), _) => Ok(()),
            (_, Some(some)) if some.size > some.start => {
                self.save_hash(name, id, &some.hasher, some.size).await
            }
            _ => Ok(()),
        };
        match done {
            Err(RegistryError::UploadUnknown) => RegistryError::UploadUnknown,
            _ => error,
        }
    }
}
