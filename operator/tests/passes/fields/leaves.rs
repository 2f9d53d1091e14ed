//! Leaves of the CRD's spec, as JSON pointers: a list's entries are all called `0`.

use std::collections::BTreeSet;

use kube::CustomResourceExt;
use operator::crd::registry::PrivateRegistry;
use serde_json::{Value, json};

/// What Kubernetes' own types hold is Kubernetes' business: it is handed on as it is.
const OPAQUE: &[&str] = &[
    "/networkPolicy/egress",
    "/networkPolicy/metricsFrom",
    "/pod/affinity",
    "/pod/tolerations",
    "/pod/topologySpreadConstraints",
];

/// Every leaf of the spec.
pub fn all() -> BTreeSet<String> {
    let crd = serde_json::to_value(PrivateRegistry::crd()).unwrap();
    let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut found = BTreeSet::new();
    below("", spec, &mut found);
    let stale: Vec<_> = OPAQUE.iter().filter(|path| !found.contains(**path)).collect();
    assert!(stale.is_empty(), "no such leaf: {stale:?}");
    found
}

/// A map, a list of texts and an object without fields are leaves.
fn below(at: &str, schema: &Value, found: &mut BTreeSet<String>) {
    let fields = |schema: &Value| schema["properties"].as_object().filter(|all| !all.is_empty()).cloned();
    match (fields(schema), fields(&schema["items"])) {
        _ if OPAQUE.contains(&at) => drop(found.insert(at.to_owned())),
        (Some(fields), _) => {
            fields.iter().for_each(|(name, schema)| below(&format!("{at}/{name}"), schema, found));
        }
        (None, Some(_)) => below(&format!("{at}/0"), &schema["items"], found),
        (None, None) => drop(found.insert(at.to_owned())),
    }
}

/// Those among `all` that are set by setting `pointer` to `value`.
pub fn set_by(pointer: &str, value: &Value, all: &BTreeSet<String>) -> BTreeSet<String> {
    let entry = |part: &str| if part.parse::<usize>().is_ok() { "0".to_owned() } else { part.to_owned() };
    let pointer = pointer.split('/').map(entry).collect::<Vec<_>>().join("/");
    let given = |leaf: &&String| {
        leaf.strip_prefix(&pointer)
            .is_some_and(|rest| (rest.is_empty() || rest.starts_with('/')) && value.pointer(rest).is_some())
    };
    all.iter().filter(given).cloned().collect()
}

/// Sets what `pointer` leads to; what is not there on the way is made.
pub fn set(spec: &mut Value, pointer: &str, value: Value) {
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    let at = parts.iter().fold(spec, |at, part| match at {
        Value::Array(entries) => &mut entries[part.parse::<usize>().unwrap()],
        at => {
            if at.is_null() {
                *at = json!({});
            }
            &mut at[*part]
        }
    });
    *at = value;
}
