//! Every key of the store: the tree of the CNCF distribution registry, and two kinds of our own (marked +).
//!
//! ```text
//! docker/registry/v2/
//!   blobs/<alg>/<2 hex>/<hex>/data
//!   repositories/<name>/
//!     _layers/<alg>/<hex>/link
//!     _manifests/revisions/<alg>/<hex>/link
//!     _manifests/tags/<tag>/current/link
//!     _manifests/tags/<tag>/index/<alg>/<hex>/link
//!     _uploads/<uuid>/{data,startedat}
//! +   _uploads/<uuid>/{hashstate,alive,closing,leftover}
//! +   _referrers/<alg>/<subject hex>/<alg>/<hex>/link
//! + identity
//! ```

use uuid::Uuid;

use crate::oci::{digest::Digest, repository_name::RepositoryName, tag::Tag};

/// Below it is everything.
pub const ROOT: &str = "docker/registry/v2";

/// Tells stores apart that share a cache.
pub const IDENTITY: &str = "docker/registry/v2/identity";

/// Below it are all repositories.
pub const REPOSITORIES: &str = "docker/registry/v2/repositories";

fn parts(digest: &Digest) -> String {
    format!("{}/{}", digest.algorithm().as_str(), digest.hex())
}

fn repository(name: &RepositoryName) -> String {
    format!("{REPOSITORIES}/{name}")
}

/// Content of a blob or a manifest.
pub fn blob(digest: &Digest) -> String {
    let (algorithm, hex) = (digest.algorithm().as_str(), digest.hex());
    format!("docker/registry/v2/blobs/{algorithm}/{}/{hex}/data", &hex[..2])
}

/// Folder of all blob links.
pub fn all_layers(name: &RepositoryName) -> String {
    format!("{}/_layers", repository(name))
}

/// Folder of one blob's link in a repository.
pub fn layer(name: &RepositoryName, digest: &Digest) -> String {
    format!("{}/_layers/{}", repository(name), parts(digest))
}

/// Folder of all manifest links.
pub fn all_revisions(name: &RepositoryName) -> String {
    format!("{}/_manifests/revisions", repository(name))
}

/// Folder of one manifest's link in a repository.
pub fn revision(name: &RepositoryName, digest: &Digest) -> String {
    format!("{}/{}", all_revisions(name), parts(digest))
}

/// Folder of all tags.
pub fn tags(name: &RepositoryName) -> String {
    format!("{}/_manifests/tags", repository(name))
}

/// Folder of one tag.
pub fn tag(name: &RepositoryName, tag: &Tag) -> String {
    format!("{}/{tag}", tags(name))
}

/// What the tag names now.
pub fn tag_current(name: &RepositoryName, of: &Tag) -> String {
    format!("{}/current/link", tag(name, of))
}

/// What the tag has named.
pub fn tag_index(name: &RepositoryName, of: &Tag, digest: &Digest) -> String {
    format!("{}/index/{}/link", tag(name, of), parts(digest))
}

/// Folder of all referrers of a subject.
pub fn referrers(name: &RepositoryName, subject: &Digest) -> String {
    format!("{}/_referrers/{}", repository(name), parts(subject))
}

/// Folder of one referrer's link.
pub fn referrer(name: &RepositoryName, subject: &Digest, digest: &Digest) -> String {
    format!("{}/{}", referrers(name, subject), parts(digest))
}

/// The link in a folder of one.
pub fn link(folder: &str) -> String {
    format!("{folder}/link")
}

/// Folder of all uploads.
pub fn uploads(name: &RepositoryName) -> String {
    format!("{}/_uploads", repository(name))
}

/// Folder of an upload.
pub fn upload(name: &RepositoryName, id: Uuid) -> String {
    format!("{}/{id}", uploads(name))
}

/// What has been received.
pub fn upload_data(name: &RepositoryName, id: Uuid) -> String {
    format!("{}/data", upload(name, id))
}

/// When it began; its presence makes the session.
pub fn upload_started(name: &RepositoryName, id: Uuid) -> String {
    format!("{}/startedat", upload(name, id))
}

/// The hash so far.
pub fn upload_hash(name: &RepositoryName, id: Uuid) -> String {
    format!("{}/hashstate", upload(name, id))
}

/// When bytes for it were last seen that are not its own yet.
pub fn upload_alive(name: &RepositoryName, id: Uuid) -> String {
    format!("{}/alive", upload(name, id))
}

/// Made by whoever ends the upload: it can be made once.
pub fn upload_closing(name: &RepositoryName, id: Uuid) -> String {
    format!("{}/closing", upload(name, id))
}

/// When an upload was seen that had no beginning any more.
pub fn upload_leftover(name: &RepositoryName, id: Uuid) -> String {
    format!("{}/leftover", upload(name, id))
}
