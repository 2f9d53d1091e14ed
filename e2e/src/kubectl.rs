//! The cluster, through `kubectl` as a user would ask it.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{run, run_with_input};

/// `kubectl ARGS…` against the cluster of `KUBECONFIG`.
pub fn kubectl(args: &[&str]) -> Command {
    let mut command = Command::new("kubectl");
    command.args(args);
    command
}

/// Applies `manifest` in `namespace`.
pub fn apply(namespace: &str, manifest: &str) -> Result<String> {
    run_with_input(&mut kubectl(&["-n", namespace, "apply", "-f", "-"]), manifest)
}

/// Objects or one object as JSON, as `kubectl get ARGS… -o json` prints them.
pub fn get(namespace: &str, args: &[&str]) -> Result<Value> {
    let text = run(kubectl(&["-n", namespace, "get", "-o", "json"]).args(args))?;
    serde_json::from_str(&text).with_context(|| format!("kubectl get {args:?} printed no JSON: {text}"))
}

/// Waits until `condition` (as in `kubectl wait --for=…`) holds, at most for `seconds`.
pub fn wait(namespace: &str, what: &str, condition: &str, seconds: u32) -> Result<String> {
    let (condition, limit) = (format!("--for={condition}"), format!("--timeout={seconds}s"));
    let waited = run(&mut kubectl(&["-n", namespace, "wait", what, &condition, &limit]));
    waited.with_context(|| describe(namespace, what))
}

/// What a person would look at next, for error messages.
fn describe(namespace: &str, what: &str) -> String {
    let asked = [
        vec!["-n", namespace, "get", "all,pvc,preg"],
        vec!["-n", namespace, "describe", what],
        vec!["-n", namespace, "get", "events", "--sort-by=.lastTimestamp"],
    ];
    asked.iter().map(|args| run(&mut kubectl(args)).unwrap_or_else(|e| format!("{e:#}\n"))).collect()
}
