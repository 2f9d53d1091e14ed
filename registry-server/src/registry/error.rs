//! What the registry failed to do.

use crate::{
    oci::{digest::Digest, error::ManifestError, tag::Tag},
    registry::trouble::Trouble,
    storage::error::{Gone, StorageError},
};

/// Why a request to the domain did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Nothing of that name.
    #[error("repository is not known")]
    NameUnknown,
    /// The repository has no such blob.
    #[error("blob is not known in this repository")]
    BlobUnknown,
    /// The repository has no such manifest.
    #[error("manifest is not known in this repository")]
    ManifestUnknown,
    /// The session never was, is finished, or is cancelled.
    #[error("upload session is not known")]
    UploadUnknown,
    /// The chunk does not start where the upload ends.
    #[error("upload continues at byte {received}")]
    OutOfOrder {
        /// Bytes received so far.
        received: u64,
    },
    /// The content is not what the digest names.
    #[error("content is {actual}, not {wanted}")]
    DigestMismatch {
        /// What the client said.
        wanted: Digest,
        /// What was received.
        actual: Digest,
    },
    /// More bytes than a blob may have.
    #[error("blob is larger than {limit} bytes")]
    BlobTooLarge {
        /// The limit.
        limit: u64,
    },
    /// More pieces than the store can join.
    #[error("the upload has come in {most} pieces, and the store joins no more: send larger chunks")]
    TooManyPieces {
        /// The limit.
        most: u32,
    },
    /// Fewer or more bytes than announced.
    #[error("{received} bytes arrived where {announced} were announced")]
    SizeMismatch {
        /// What the headers said.
        announced: u64,
        /// What came.
        received: u64,
    },
    /// The manifest is not one.
    #[error(transparent)]
    ManifestInvalid(#[from] ManifestError),
    /// The manifest names content that the repository does not have.
    #[error("manifest names content that is missing")]
    ContentMissing(Vec<Digest>),
    /// Something still needs what was to be deleted.
    #[error("still referenced")]
    Referenced {
        /// The manifests that need it.
        by: Vec<Digest>,
    },
    /// The tag stays what it is.
    #[error("tag {tag} is immutable here")]
    ImmutableTag {
        /// The tag.
        tag: Tag,
        /// What it stands for.
        current: Digest,
    },
    /// The repository holds as much as it may.
    #[error("the repository has no room left for this: delete what is not needed, or ask for a larger quota")]
    OverQuota {
        /// Most bytes.
        limit: u64,
        /// Bytes that are there.
        used: u64,
    },
    /// A condition of the request does not hold.
    #[error("precondition does not hold")]
    Precondition,
    /// The client went away or sent garbage.
    #[error("request body failed")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A link of the store has no digest in it.
    #[error("{key} is damaged")]
    Damaged {
        /// Where.
        key: String,
    },
    /// The store is not the one that the configuration asks for.
    #[error(
        "storage.identity: this registry's store carries the identity {expected:?}, and what is mounted here carries \
         {}: the volume is empty, not mounted, or another one. Mount the right one; or, to serve this store under \
         that identity from now on, start once with storage.initialize: true",
        found.as_ref().map_or("no identity".to_owned(), |found| format!("{found:?}"))
    )]
    WrongStore {
        /// What the configuration says.
        expected: String,
        /// What the store says.
        found: Option<String>,
    },
    /// Nothing can be said about the store, or written into it.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// Nothing can be kept under such a name.
    #[error("nothing can have this name")]
    NoKey(#[source] StorageError),
    /// The store is full.
    #[error("no space left")]
    NoSpace(#[source] StorageError),
    /// The store does not answer, or refuses us.
    #[error("the store does not answer")]
    Unavailable(#[source] StorageError),
    /// The store failed.
    #[error("the store failed")]
    Storage(#[source] StorageError),
}

impl RegistryError {
    /// What is gone, if it failed because there is nothing to read from or to write to.
    pub fn store_is_gone(&self) -> Option<Gone> {
        match self {
            Self::Unavailable(StorageError::Unavailable { source, .. }) => source.downcast_ref().copied(),
            _ => None,
        }
    }
}

impl From<StorageError> for RegistryError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Key { .. } => Self::NoKey(error),
            StorageError::NoSpace { .. } => Self::NoSpace(error),
            StorageError::Unavailable { .. } => Self::Unavailable(error),
            StorageError::TooManyPieces { most, .. } => Self::TooManyPieces { most },
            StorageError::Conflict { .. }
            | StorageError::Missing { .. }
            | StorageError::Unfit(_)
            | StorageError::Io { .. } => Self::Storage(error),
        }
    }
}
