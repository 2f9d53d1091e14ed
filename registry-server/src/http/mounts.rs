//! What comes of a mount that a request asks for, also where the request comes to nothing.

use std::sync::{Arc, Mutex, PoisonError};

use crate::oci::{digest::Digest, repository_name::RepositoryName};

/// A blob that is to come from another repository.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Which one.
    pub from: RepositoryName,
    /// What.
    pub digest: Digest,
    /// Whether whoever asked may pull there.
    pub allowed: bool,
}

/// The mount of a request, if there is one: the handler says what comes of it, and the audit log reads that.
#[derive(Clone, Debug, Default)]
pub struct Mounting(Arc<Mutex<Option<Mount>>>);

impl Mounting {
    /// So it stands now.
    pub fn is(&self, mount: Option<Mount>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mount;
    }

    /// How it stands.
    pub fn get(&self) -> Option<Mount> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
