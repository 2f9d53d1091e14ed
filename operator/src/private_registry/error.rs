//! What can go wrong in a pass, by step. Each has a fixed reason word.

use kube::core::Status;

use crate::crd::condition::reason;

/// Something of a registry that is not as asked while the rest goes on: the reason and message of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Word from the fixed list.
    pub reason: &'static str,
    /// What is wrong, with which object, and what to do.
    pub message: String,
}

impl Problem {
    /// A problem.
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

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
    #[error(
        "{kind} {name} exists and is not part of this registry: rename this object, remove that one, or let it be \
         taken over with the annotation privateregistry.dev/adopt={uid}"
    )]
    NameConflict {
        /// Kind of the foreign object.
        kind: String,
        /// Its name.
        name: String,
        /// Its uid: the value that lets it be taken over.
        uid: String,
    },
    /// A field says what cannot be done, and the schema could not know.
    #[error("{field} {problem}")]
    InvalidSpec {
        /// Path of the field.
        field: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The CRD in the cluster lacks fields of this operator.
    #[error(
        "the installed CRD is older than the operator and drops fields of its status: upgrade it with the chart"
    )]
    CrdOutdated,
    /// The API server refuses a child: the object asks for what the cluster cannot give.
    #[error("the cluster refuses {kind} {name}: {said}; {}", remedy(.said))]
    Refused {
        /// Kind of the child.
        kind: String,
        /// Its name.
        name: String,
        /// What the API server said.
        said: String,
    },
    /// The namespace is going, and everything in it: nothing can be made there.
    #[error("the namespace is being deleted")]
    Terminating,
    /// A child that cannot be changed is on its way out: the next pass makes it anew.
    #[error("Deployment {0} is being replaced")]
    Replacing(String),
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
    /// A text of the spec is not what the schema takes.
    #[error("spec: {0}")]
    Text(String),
    /// The CA or the certificate could not be made or read.
    #[error("failed to {what}")]
    Certificate {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: rcgen::Error,
    },
    /// A certificate that was just made does not parse.
    #[error("failed to read the certificate that was made for {0}")]
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
            Self::InvalidSpec { .. } | Self::Refused { .. } | Self::Resolve(_) => reason::INVALID_SPEC,
            Self::CrdOutdated => reason::CRD_OUTDATED,
            Self::Incomplete(_) | Self::Cluster { .. } | Self::Terminating | Self::Replacing(_) => {
                reason::RECONCILING
            }
        }
    }
}

impl PassError {
    /// Whether it says something about the object; an API server that does not answer says nothing about it.
    pub fn concerns_the_object(&self) -> bool {
        !matches!(self, Self::Incomplete(_) | Self::Cluster { .. } | Self::Terminating | Self::Replacing(_))
    }
}

/// A child that was not written: refused for what it says, or not reached.
pub fn unwritten(kind: &str, name: &str, error: kube::Error) -> PassError {
    match error {
        kube::Error::Api(status) if terminating(&status) => PassError::Terminating,
        kube::Error::Api(status) if [400, 403, 422].contains(&status.code) || undeclared(&status) => {
            PassError::Refused { kind: kind.into(), name: name.into(), said: status.message.clone() }
        }
        source => PassError::Cluster { what: format!("apply {kind} {name}"), source: Box::new(source) },
    }
}

/// A field that does not exist, or of another type, is an error of the API server's under server-side apply.
fn undeclared(status: &Status) -> bool {
    status.code == 500 && status.message.contains("failed to create typed patch object")
}

fn remedy(said: &str) -> &'static str {
    if said.contains("immutable") {
        return "what cannot be changed has to be made anew: save what it holds, delete it, and put that into the new one";
    }
    "correct what the object asks for, or ask for what the namespace forbids"
}

/// Admission lets nothing be created in a namespace that is being deleted.
pub fn terminating(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 403 && causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}
