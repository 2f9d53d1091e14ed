//! Manifests and indexes: what is taken names only content that can exist, and is read the same a second time.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::bytes::Regex;
use registry_server::oci::{
    digest::Digest,
    manifest::{ACCEPTED, Manifest},
    nesting::{DEEPEST, LONGEST_NUMBER, has_short_numbers, is_flat_enough},
};
use serde_json::Value;

// RFC 8259, sections 6 and 7.
static TEXTS_AND_NUMBERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""(\\.|[^"\\])*"|-?[0-9][-+.eE0-9]*"#).expect("an expression"));

/// Takes the bytes for a manifest, with each `Content-Type` that a client may send.
pub fn check(bytes: &[u8]) {
    // Of fields that it does not read the parser does not see that: whoever takes a manifest in looks before.
    if std::str::from_utf8(bytes).is_err() {
        Manifest::parse(bytes, None).ok();
        return;
    }
    let value = serde_json::from_slice::<Value>(bytes);
    // A number that no float holds is JSON all the same, also to the parser, which does not read what it does not know.
    if value.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range")) {
        Manifest::parse(bytes, None).ok();
        return;
    }
    let value = value.ok();
    if let Some(value) = &value {
        // Deeper than that is never a value: the parser gives up at 128.
        assert_eq!(is_flat_enough(bytes), depth(value) <= DEEPEST);
        assert_eq!(has_short_numbers(bytes), longest_number(bytes) <= LONGEST_NUMBER);
    }
    let plain = Manifest::parse(bytes, None);
    for header in ACCEPTED.into_iter().map(Some).chain([Some("text/plain"), Some(""), None]) {
        match Manifest::parse(bytes, header) {
            Ok(manifest) => taken(&manifest, header, value.as_ref().expect("what is taken is JSON")),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    if let Ok(plain) = plain {
        let same = Manifest::parse(bytes, Some(plain.media_type)).expect("its own type is no other");
        assert_eq!(format!("{same:?}"), format!("{plain:?}"));
    }
}

fn taken(manifest: &Manifest, header: Option<&str>, value: &Value) {
    assert!(ACCEPTED.contains(&manifest.media_type));
    assert!(header.is_none_or(|header| header.is_empty() || header == manifest.media_type));
    assert_eq!(value["schemaVersion"], 2);
    // Whatever it names is kept with it, and nothing else is; of what is not kept elsewhere, all has to be there before.
    let list = |name: &str| value[name].as_array().into_iter().flatten();
    let content: Vec<_> = [&value["config"]].into_iter().chain(list("layers")).collect();
    let named: BTreeSet<_> = content.iter().copied().chain(list("manifests")).filter_map(digest).collect();
    let here: BTreeSet<_> = content.into_iter().filter(|one| is_kept_here(one)).filter_map(digest).collect();
    let texts = |all: &[Digest]| all.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(texts(&manifest.references), named, "{value}");
    assert_eq!(texts(&manifest.required), here, "{value}");
    assert_eq!(manifest.subject.as_ref().map(ToString::to_string), digest(&value["subject"]), "{value}");
    assert_eq!(manifest.children.len(), list("manifests").count());
    for (child, written) in manifest.children.iter().zip(list("manifests")) {
        assert_eq!(Some(&child.digest), digest(written).as_ref());
        assert_eq!(Some(child.size), written["size"].as_u64());
        assert_eq!(child.media_type, written["mediaType"].as_str().unwrap_or_default());
        assert_eq!(child.platform.as_ref(), written["platform"].as_object());
    }
}

fn digest(descriptor: &Value) -> Option<String> {
    descriptor["digest"].as_str().map(str::to_owned)
}

/// Layers that nobody may hand on are at their `urls`, or have a media type that says so.
fn is_kept_here(descriptor: &Value) -> bool {
    let kind = descriptor["mediaType"].as_str().unwrap_or_default();
    let urls = descriptor["urls"].as_array().is_some_and(|urls| !urls.is_empty());
    !urls && !kind.contains(".foreign.") && !kind.contains(".nondistributable.")
}

fn longest_number(json: &[u8]) -> usize {
    let numbers = TEXTS_AND_NUMBERS.find_iter(json).map(|found| found.as_bytes());
    numbers.filter(|found| !found.starts_with(b"\"")).map(<[u8]>::len).max().unwrap_or_default()
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(all) => 1 + all.iter().map(depth).max().unwrap_or_default(),
        Value::Object(all) => 1 + all.values().map(depth).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
