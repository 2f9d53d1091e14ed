//! What the store failed to do.

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
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
    /// The object that was to be moved is not there.
    #[error("{key} is missing")]
    Missing {
        /// What was looked for.
        key: String,
    },
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
    /// The error for `key` that an I/O error stands for.
    pub fn from_io(key: &str, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        let key = key.to_owned();
        match source.kind() {
            StorageFull | QuotaExceeded => Self::NoSpace { key },
            _ => Self::Io { key, source },
        }
    }
}
