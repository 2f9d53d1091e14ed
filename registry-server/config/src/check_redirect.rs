//! What the types cannot say about `storage.redirect`.

use std::time::Duration;

use crate::{
    check::Problems,
    schema::{BlobRedirect, Storage},
};

/// As long as a signature of version 4 may be good for.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Keys and what is wrong with them.
pub fn check(storage: &Storage) -> Problems {
    let Some(section) = &storage.redirect else { return Vec::new() };
    let mut problems = Vec::new();
    let mut wrong = |key, message: &str| problems.push((key, message.to_owned()));
    if !(Duration::from_secs(1)..=LONGEST).contains(&section.expiry.0) {
        wrong("storage.redirect.expiry", "must be between 1s and 168h");
    }
    let url = section.publicendpoint.as_deref();
    if url.is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
        wrong("storage.redirect.publicendpoint", "must be a URL that begins with https:// or http://");
    }
    // Distribution's own key is in many files, whatever their store, and means nothing there.
    let ours = BlobRedirect { disable: section.disable, ..BlobRedirect::default() } != *section;
    if ours && storage.s3.is_none() {
        wrong("storage.redirect", "clients can fetch blobs from an object store only: it needs storage.s3");
    }
    problems
}
