//! Names, tags and digests, against the grammar of the specification as it stands there.

use std::sync::LazyLock;

use regex::Regex;
use registry_server::oci::{digest::Digest, reference::Reference, repository_name::RepositoryName, tag::Tag};

// OCI distribution specification 1.1, "Pulling manifests"; image specification 1.1, "Digests".
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    let component = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*";
    Regex::new(&format!(r"\A{component}(/{component})*\z")).expect("an expression")
});
static TAG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\A[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\z").expect("an expression"));
static DIGEST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\A(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})\z").expect("an expression"));

/// Whether the specification, and our limit of 255 bytes, have such a name.
pub fn is_name(text: &str) -> bool {
    text.len() <= 255 && NAME.is_match(text)
}

/// Whether the specification has such a tag.
pub fn is_tag(text: &str) -> bool {
    TAG.is_match(text)
}

/// Whether it is a digest of an algorithm that we know.
pub fn is_digest(text: &str) -> bool {
    DIGEST.is_match(text)
}

/// Takes the bytes for each of them.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (name, tag, digest) = (text.parse::<RepositoryName>(), text.parse::<Tag>(), text.parse::<Digest>());
    assert_eq!(name.is_ok(), is_name(text), "{text:?}");
    assert_eq!(tag.is_ok(), is_tag(text), "{text:?}");
    assert_eq!(digest.is_ok(), is_digest(text), "{text:?}");
    assert!(name.is_err() || name.as_ref().is_ok_and(|one| one.to_string() == text && one.as_str() == text));
    assert!(tag.is_err() || tag.as_ref().is_ok_and(|one| one.to_string() == text && one.as_str() == text));
    assert!(digest.is_err() || digest.as_ref().is_ok_and(|one| one.to_string() == text));
    match text.parse::<Reference>() {
        Ok(Reference::Tag(found)) => assert_eq!(Ok(found), tag),
        Ok(Reference::Digest(found)) => assert_eq!(Ok(found), digest),
        Err(why) => assert!(tag.is_err() && digest.is_err() && !why.to_string().is_empty(), "{text:?}"),
    }
}
