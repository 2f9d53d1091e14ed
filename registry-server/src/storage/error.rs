//! What the store failed to do.

use rustix::io::Errno;

/// Nothing is there to read from or to write to: the folder or the bucket, as it is called here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {0} of the store is gone")]
pub struct Gone(pub &'static str);

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No object can have this key: it leads elsewhere, or a name in it is no name or too long.
    #[error("{key:?} is no key")]
    Key {
        /// What was asked for.
        key: String,
    },
    /// The device or the quota is full.
    #[error("no space left for {key}")]
    NoSpace {
        /// What was written.
        key: String,
    },
    /// An append did not start where the object ends, or the object has moved.
    #[error("{key} does not end at {offset}")]
    Conflict {
        /// What was appended to.
        key: String,
        /// Where the caller believed it to end.
        offset: u64,
    },
    /// The object consists of as many pieces as can be joined.
    #[error("{key} has {most} pieces, and cannot have more")]
    TooManyPieces {
        /// What was appended to.
        key: String,
        /// The limit.
        most: u32,
    },
    /// The object that was to be moved is not there.
    #[error("{key} is missing")]
    Missing {
        /// What was looked for.
        key: String,
    },
    /// The store does not answer, or refuses us.
    #[error("the store cannot be used for {key}")]
    Unavailable {
        /// What was read or written.
        key: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store cannot do what a registry relies on.
    #[error("the store is of no use: {0}")]
    Unfit(&'static str),
    /// Anything else.
    #[error("input or output of {key} failed")]
    Io {
        /// What was read or written.
        key: String,
        /// The cause.
        source: std::io::Error,
    },
}

impl StorageError {
    /// The store could not be used for `key`.
    pub fn unavailable(key: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable { key: key.to_owned(), source: source.into() }
    }

    /// The error for `key` that an I/O error stands for.
    pub fn from_io(key: &str, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        if let Some(gone) = source.get_ref().and_then(|source| source.downcast_ref::<Gone>()) {
            return Self::unavailable(key, *gone);
        }
        // It passes when others close theirs.
        if matches!(Errno::from_io_error(&source), Some(Errno::MFILE | Errno::NFILE)) {
            return Self::unavailable(key, source);
        }
        let key = key.to_owned();
        match source.kind() {
            StorageFull | QuotaExceeded => Self::NoSpace { key },
            _ => Self::Io { key, source },
        }
    }
}
