//! Why accounts cannot be read.

use std::path::PathBuf;

use crate::auth::htpasswd::Unusable;

/// Lines that a message has room for.
const TOLD: usize = 10;

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
    #[error("{} has no usable account: {}", path.display(), told(lines))]
    NoAccounts {
        /// Which.
        path: PathBuf,
        /// Its lines.
        lines: Vec<Unusable>,
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

/// What is wrong with the first lines. What cannot be read may be a password, and is not told.
fn told(lines: &[Unusable]) -> String {
    if lines.is_empty() {
        return "it is empty".to_owned();
    }
    let one = |bad: &Unusable| match bad.user.as_str() {
        "" => format!("line {}: {}", bad.line, bad.reason),
        user => format!("line {} ({user}): {}", bad.line, bad.reason),
    };
    let mut told: Vec<String> = lines.iter().take(TOLD).map(one).collect();
    if lines.len() > TOLD {
        told.push(format!("and {} more", lines.len() - TOLD));
    }
    told.join("; ")
}
