//! Manifests and indexes: what is taken names only content that can exist, and is read the same a second time.

use std::collections::BTreeSet;

use registry_server::oci::{
    manifest::{ACCEPTED, Manifest},
    nesting::{DEEPEST, is_flat_enough},
};
use serde_json::Value;

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
    assert!(manifest.required.iter().all(|digest| manifest.references.contains(digest)));
    // Whatever it names is kept with it, and nothing else is.
    let one = |value: &Value| value["digest"].as_str().map(str::to_owned);
    let all = |name: &str| value[name].as_array().into_iter().flatten().filter_map(one).collect::<Vec<_>>();
    let named: BTreeSet<_> =
        one(&value["config"]).into_iter().chain(all("layers")).chain(all("manifests")).collect();
    let kept: BTreeSet<_> = manifest.references.iter().map(ToString::to_string).collect();
    assert_eq!(kept, named, "{value}");
    assert_eq!(manifest.subject.as_ref().map(ToString::to_string), one(&value["subject"]), "{value}");
    assert_eq!(manifest.children.len(), all("manifests").len());
    for child in &manifest.children {
        assert!(manifest.references.iter().any(|digest| digest.to_string() == child.digest), "{child:?}");
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(all) => 1 + all.iter().map(depth).max().unwrap_or_default(),
        Value::Object(all) => 1 + all.values().map(depth).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
