//! What the operator makes of objects.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::kubectl::get;

/// The kinds of it.
pub const KINDS: &str = "deployments,services,configmaps,secrets,serviceaccounts,persistentvolumeclaims,networkpolicies,poddisruptionbudgets";

/// All that the operator writes in `namespace`.
pub fn children(namespace: &str) -> Result<Vec<Value>> {
    let list = get(namespace, &[KINDS, "-l", "app.kubernetes.io/managed-by=privateregistry-operator"])?;
    list["items"].as_array().cloned().context("no list")
}

/// Kind and name of a child.
pub fn key(child: &Value) -> String {
    format!("{}/{}", child["kind"], child["metadata"]["name"])
}

/// `resourceVersion` of each: it moves with every write.
pub fn versions(namespace: &str) -> Result<BTreeMap<String, String>> {
    let version = |child: &Value| (key(child), child["metadata"]["resourceVersion"].to_string());
    Ok(children(namespace)?.iter().map(version).collect())
}
