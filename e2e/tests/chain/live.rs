//! Settings that running pods take over: no restart, no failed request.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    kubectl::kubectl,
    namespace::Namespace,
    process::{eventually, must_fail, run},
};

use crate::clients::{hello_layout, six_line_registry};

/// Kubelet hands a changed ConfigMap to pods when it next looks at them: every 60 to 90 s; then the server
/// polls it.
const PROMISE: Duration = Duration::from_secs(120);

fn patch(namespace: &str, spec: &str) -> Result<()> {
    run(&mut kubectl(&["-n", namespace, "patch", "preg", "team", "--type=merge", "-p", spec])).map(drop)
}

// operator 91, registry LM5
#[test]
fn read_only_comes_and_goes_without_a_restart() -> Result<()> {
    let namespace = Namespace::create("e2e-readonly")?;
    let registry = six_line_registry(namespace.name())?;
    let image = registry.reference("hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;
    let pods = registry.pods()?;

    patch(namespace.name(), r#"{"spec": {"readOnly": true}}"#)?;
    eventually(PROMISE, "tags to be refused", || {
        Ok(must_fail(&mut registry.crane(&["tag", &image, "two"])).ok())
    })?;
    run(&mut registry.crane(&["validate", "--remote", &image]))?;
    patch(namespace.name(), r#"{"spec": {"readOnly": false}}"#)?;
    eventually(PROMISE, "tags to be taken", || run(&mut registry.crane(&["tag", &image, "two"])).map(Some))?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}

// operator 9, operator 94: an account changes, no pod does
#[test]
fn a_changed_password_is_taken_over_without_a_restart() -> Result<()> {
    let namespace = Namespace::create("e2e-password")?;
    let registry = six_line_registry(namespace.name())?;
    let pods = registry.pods()?;
    let changed = r#"{"stringData": {"password": "correct-horse-battery-staple"}}"#;
    run(&mut kubectl(&[
        "-n",
        namespace.name(),
        "patch",
        "secret",
        "team.admin",
        "--type=merge",
        "-p",
        changed,
    ]))?;
    eventually(PROMISE, "the new password", || {
        Ok((registry.status_of("/v2/", "admin", "correct-horse-battery-staple")? == "200").then_some(()))
    })?;
    ensure!(
        registry.status_of("/v2/", "admin", &registry.password)? == "401",
        "the old password still works"
    );
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}
