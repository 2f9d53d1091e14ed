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

/// Why a token of somebody who is known here lets nobody in. Never says what is in the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Its signature is of a kind that is not taken.
    #[error("the token is signed by an algorithm that is not taken here")]
    Algorithm,
    /// Its header has something that must be understood.
    #[error("the token's header has critical fields")]
    Header,
    /// None of the keys has signed it.
    #[error("no key of its issuer has signed the token")]
    Signature,
    /// There are no keys to verify it with.
    #[error("the keys of the token's issuer cannot be read at present")]
    NoKeys,
    /// It does not say when it ends, or not in numbers.
    #[error("the token does not say when it expires")]
    Times,
    /// It counts later.
    #[error("the token is not valid yet")]
    NotYet,
    /// It counted before.
    #[error("the token has expired")]
    Expired,
    /// It is for somebody else.
    #[error("the token is for another audience than this registry")]
    Audience,
    /// It lacks a claim that it must have.
    #[error("the token lacks a claim that this registry requires")]
    Required,
    /// It names nobody.
    #[error("the token names no user")]
    Name,
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
