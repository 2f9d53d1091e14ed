//! A `PrivateRegistry` as its user changes and reads it.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    kubectl::{apply, get, kubectl},
    process::{eventually, run},
};

/// How long the operator may take to see a change and to say so.
const SEEN: Duration = Duration::from_secs(60);

/// The object `name` with `spec` (YAML flow) as a manifest.
pub fn manifest(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: privateregistry.dev/v1alpha1, kind: PrivateRegistry, metadata: {{name: {name:?}}}, spec: {spec}}}"
    )
}

/// Applies the object.
pub fn apply_object(namespace: &str, name: &str, spec: &str) -> Result<()> {
    apply(namespace, &manifest(name, spec)).map(drop)
}

/// Changes part of the object's spec, given as JSON.
pub fn patch(namespace: &str, name: &str, spec: &str) -> Result<()> {
    patch_any(namespace, &["preg", name], &format!("{{\"spec\": {spec}}}"))
}

/// Changes part of any object, given as JSON.
pub fn patch_any(namespace: &str, what: &[&str], patch: &str) -> Result<()> {
    let mut command = kubectl(&["-n", namespace, "patch", "--type=merge", "-p", patch]);
    run(command.args(what)).map(drop)
}

/// `status/reason` and message of a condition.
pub fn condition(namespace: &str, name: &str, kind: &str) -> Result<(String, String)> {
    let object = get(namespace, &["preg", name])?;
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let found =
        conditions.iter().find(|one| one["type"] == kind).with_context(|| format!("no condition {kind}"))?;
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    Ok((format!("{}/{}", text("status"), text("reason")), text("message")))
}

/// Waits until a condition says `wanted` (`False/SecretNotFound`), and gives its message.
pub fn until(namespace: &str, name: &str, kind: &str, wanted: &str) -> Result<String> {
    until_within(SEEN, namespace, name, kind, wanted)
}

/// The same, for what takes `time` by itself.
pub fn until_within(time: Duration, namespace: &str, name: &str, kind: &str, wanted: &str) -> Result<String> {
    eventually(time, &format!("{name}: {kind}={wanted}"), || {
        let (now, message) = condition(namespace, name, kind)?;
        anyhow::ensure!(now == wanted, "{kind} is {now}: {message}");
        Ok(Some(message))
    })
}

/// Waits until the operator has carried out the current generation of a registry that is then Ready.
pub fn settled(namespace: &str, name: &str) -> Result<Value> {
    eventually(Duration::from_secs(120), &format!("{name} to settle"), || {
        let object = get(namespace, &["preg", name])?;
        let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        let ready = condition(namespace, name, "Ready")?;
        let rolled = condition(namespace, name, "Progressing")?;
        anyhow::ensure!(
            current && ready.0 == "True/AllReady" && rolled.0 == "False/RolledOut",
            "{ready:?} {rolled:?}"
        );
        Ok(Some(object))
    })
}
