//! What goes with the object where that was asked for.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    children::KINDS,
    kubectl::{get, kubectl},
    namespace::Namespace,
    object::{patch, settled},
    process::{eventually, run},
    registry::hello_layout,
};

use crate::clients::six_line_registry;

/// What there is of `team`, a line each.
pub fn children(namespace: &str) -> Result<String> {
    let ours = ["-l", "app.kubernetes.io/instance=team", "-o", "name"];
    run(kubectl(&["-n", namespace, "get", &format!("{KINDS},replicasets,pods")]).args(ours))
}

// guarantee 6, operator 116: images, accounts and CA are deleted where the object says so, and only there; no finalizer
#[test]
fn under_delete_images_accounts_and_ca_go_with_the_object() -> Result<()> {
    let namespace = Namespace::create("e2e-delete")?;
    let registry = six_line_registry(namespace.name())?;
    run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference("hello:1")]))?;
    patch(namespace.name(), "team", r#"{"deletionPolicy": "Delete"}"#)?;
    let object = settled(namespace.name(), "team")?;
    ensure!(object["metadata"]["finalizers"].is_null(), "a finalizer: {}", object["metadata"]);
    let claim = get(namespace.name(), &["pvc", "team-data"])?;
    let volume = claim["spec"]["volumeName"].as_str().unwrap_or_default();

    run(&mut kubectl(&["-n", namespace.name(), "delete", "preg", "team", "--wait"]))?;
    eventually(Duration::from_secs(90), "all children to go", || {
        let left = children(namespace.name())?;
        ensure!(left.is_empty(), "left: {left}");
        Ok(Some(()))
    })?;
    eventually(Duration::from_secs(60), "the volume to go", || {
        let volumes = run(&mut kubectl(&["get", "pv", "-o", "name"]))?;
        Ok((!volumes.contains(volume)).then_some(()))
    })?;

    let again = six_line_registry(namespace.name())?;
    ensure!(again.password != registry.password, "the password survived");
    ensure!(run(&mut again.crane(&["catalog", &again.address]))?.trim().is_empty(), "images survived");
    Ok(())
}
