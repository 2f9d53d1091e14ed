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
