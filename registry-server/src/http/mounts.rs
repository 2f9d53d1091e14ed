//! What the audit log is told about blobs that were to come from other repositories.

use crate::{
    http::headers::Response,
    oci::{digest::Digest, repository_name::RepositoryName},
};

/// How it went. Where nothing was found there is nothing to tell.
#[derive(Clone, Debug)]
pub enum Mount {
    /// It was there.
    Done {
        /// Where.
        from: RepositoryName,
        /// What.
        digest: Digest,
    },
    /// Whoever asked may not pull there.
    Refused {
        /// Where.
        from: RepositoryName,
        /// What.
        digest: Digest,
    },
}

/// The answer, with what only the audit log reads of it.
pub fn tell(mut answer: Response, mount: Option<Mount>) -> Response {
    if let Some(mount) = mount {
        answer.extensions_mut().insert(mount);
    }
    answer
}
