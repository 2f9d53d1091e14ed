//! Why accounts cannot be read.

use std::path::PathBuf;

/// A failure to read or write the password file.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not one line of it can be used.
    #[error("{} has no usable account", path.display())]
    NoAccounts {
        /// Which.
        path: PathBuf,
    },
    /// The name cannot stand in a password file.
    #[error("a user name is not empty and has no ':' and no line break")]
    UserName,
    /// The password cannot be hashed.
    #[error("a password has 1 to 72 bytes")]
    PasswordLength,
    /// bcrypt failed.
    #[error("cannot hash the password")]
    Hash(#[source] bcrypt::BcryptError),
    /// The file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
