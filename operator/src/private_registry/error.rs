//! What can go wrong in a pass, by step. Each has a fixed reason word.

use crate::crd::condition::reason;

/// A pass failed.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The object has no namespace or uid: it never came from an API server.
    #[error("the object lacks {0}")]
    Incomplete(&'static str),
    /// The cluster did not answer as needed.
    #[error("failed to {what}")]
    Cluster {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<kube::Error>,
    },
    /// A child's name is taken.
    #[error("{kind} {name} exists and is not part of this registry: rename this object, or remove that one")]
    NameConflict {
        /// Kind of the foreign object.
        kind: String,
        /// Its name.
        name: String,
    },
    /// A child could not be computed.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
}

/// A child could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The configuration does not serialise.
    #[error("failed to write the server's configuration: {0}")]
    WriteConfiguration(String),
    /// The CA or the certificate could not be made or read.
    #[error("failed to {what}")]
    Certificate {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: rcgen::Error,
    },
    /// A stored certificate does not parse.
    #[error("failed to read the certificate in Secret {0}")]
    ReadCertificate(String),
    /// A password could not be hashed.
    #[error("failed to hash a password")]
    HashPassword(#[source] bcrypt::BcryptError),
}

impl PassError {
    /// Fixed word for conditions, Events and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NameConflict { kind, .. } if kind == "PersistentVolumeClaim" => reason::CLAIM_NOT_OURS,
            Self::NameConflict { .. } => reason::NAME_CONFLICT,
            Self::Incomplete(_) | Self::Cluster { .. } | Self::Resolve(_) => reason::RECONCILING,
        }
    }
}
