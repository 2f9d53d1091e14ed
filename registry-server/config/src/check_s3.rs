//! What the types cannot say about `storage.s3`.

use crate::{check::Problems, placeholder::is_placeholder, schema::S3};

/// Parts of a multipart upload have at least this size.
const SMALLEST_CHUNK: u64 = 5 << 20;
const LARGEST_CHUNK: u64 = 1 << 30;

/// Keys and what is wrong with them.
pub fn check(s3: &S3) -> Problems {
    let mut problems = Vec::new();
    let mut wrong = |key, message: &str| problems.push((key, message.to_owned()));
    if s3.bucket.is_empty() {
        wrong("storage.s3.bucket", "must not be empty");
    }
    if !(SMALLEST_CHUNK..=LARGEST_CHUNK).contains(&s3.chunksize) {
        wrong("storage.s3.chunksize", "must be between 5242880 (5 MiB) and 1073741824 (1 GiB)");
    }
    if !s3.v4auth {
        wrong("storage.s3.v4auth", "signature version 2 is not spoken; remove the key");
    }
    if s3.skipverify {
        wrong(
            "storage.s3.skipverify",
            "certificates are always verified; name the authority in storage.s3.cafile",
        );
    }
    if s3.keyid.is_some() && !s3.encrypt {
        wrong("storage.s3.keyid", "means nothing without encrypt: true");
    }
    if s3.accesskey.is_some() && s3.accesskeyfile.is_some() {
        wrong("storage.s3.accesskeyfile", "either accesskey or accesskeyfile");
    }
    if s3.secretkey.is_some() && s3.secretkeyfile.is_some() {
        wrong("storage.s3.secretkeyfile", "either secretkey or secretkeyfile");
    }
    for (key, secret) in [("storage.s3.accesskey", &s3.accesskey), ("storage.s3.secretkey", &s3.secretkey)] {
        if secret.as_ref().is_some_and(|secret| is_placeholder(&secret.0)) {
            wrong(key, "is a placeholder: put the key there");
        }
    }
    let access = s3.accesskey.is_some() || s3.accesskeyfile.is_some();
    if access != (s3.secretkey.is_some() || s3.secretkeyfile.is_some()) {
        wrong("storage.s3", "access key and secret key go together");
    }
    let endpoint = s3.regionendpoint.as_deref().unwrap_or_default();
    if endpoint.starts_with("http://") && s3.secure {
        wrong("storage.s3.regionendpoint", "plain HTTP needs secure: false");
    }
    problems
}
