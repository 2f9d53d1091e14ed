//! What must survive: killed servers, a killed operator, a deleted object.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl, wait},
    namespace::Namespace,
    process::{eventually, run},
    registry::Registry,
};

use crate::clients::{SIX_LINES, hello_layout, six_line_registry};

const CHILDREN: &str =
    "deployments,services,configmaps,secrets,serviceaccounts,persistentvolumeclaims,networkpolicies";
const OPERATOR: &str = "private-registry-system";

/// `resourceVersion` of all that the operator writes in `namespace`: the specification's side only.
fn written(namespace: &str) -> Result<BTreeMap<String, String>> {
    let list = get(namespace, &[CHILDREN, "-l", "app.kubernetes.io/managed-by=privateregistry-operator"])?;
    let items = list["items"].as_array().context("no list")?;
    let key = |item: &serde_json::Value| format!("{}/{}", item["kind"], item["metadata"]["name"]);
    Ok(items.iter().map(|item| (key(item), item["metadata"]["resourceVersion"].to_string())).collect())
}

#[test]
fn a_killed_server_loses_nothing_that_was_acknowledged() -> Result<()> {
    let namespace = Namespace::create("e2e-killed")?;
    let registry = six_line_registry(namespace.name())?;
    let image = registry.reference("hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;
    let (digest, before) = (run(&mut registry.crane(&["digest", &image]))?, registry.pods()?);

    let mut kill = vec!["-n", namespace.name(), "delete", "pod", "--grace-period=0", "--force"];
    kill.extend(before.iter().map(String::as_str));
    run(&mut kubectl(&kill))?;
    wait(namespace.name(), "deployment/team-registry", "condition=Available", 60)?;
    let after = eventually(Duration::from_secs(60), "the image after the kill", || {
        run(&mut registry.crane(&["digest", &image])).map(Some)
    })?;
    ensure!(digest == after, "{digest} became {after}");
    run(&mut registry.crane(&["validate", "--remote", &image])).map(drop)
}

// operator 2; guarantee 1 of the API
#[test]
fn a_restarted_operator_writes_no_child() -> Result<()> {
    let namespace = Namespace::create("e2e-restart")?;
    six_line_registry(namespace.name())?;
    let before = written(namespace.name())?;
    ensure!(before.len() >= 10, "only {before:?}");
    run(&mut kubectl(&["-n", OPERATOR, "rollout", "restart", "deployment/private-registry-operator"]))?;
    run(&mut kubectl(&[
        "-n",
        OPERATOR,
        "rollout",
        "status",
        "deployment/private-registry-operator",
        "--timeout=90s",
    ]))?;

    // A change of the object proves that the new operator has made its passes.
    let patch = r#"{"spec": {"readOnly": true}}"#;
    run(&mut kubectl(&["-n", namespace.name(), "patch", "preg", "team", "--type=merge", "-p", patch]))?;
    let after = eventually(Duration::from_secs(60), "the new operator's pass", || {
        let now = written(namespace.name())?;
        Ok((now != before).then_some(now))
    })?;
    let changed: Vec<_> = before.iter().filter(|(key, version)| after.get(*key) != Some(version)).collect();
    ensure!(changed.len() == 1 && changed[0].0.contains("team-live"), "also written: {changed:?}");
    Ok(())
}

// operator 32
#[test]
fn a_deleted_registry_comes_back_with_its_images_and_accounts() -> Result<()> {
    let namespace = Namespace::create("e2e-retain")?;
    let registry = six_line_registry(namespace.name())?;
    run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference("hello:1")]))?;
    let digest = run(&mut registry.crane(&["digest", &registry.reference("hello:1")]))?;

    run(&mut kubectl(&["-n", namespace.name(), "delete", "preg", "team", "--wait"]))?;
    eventually(Duration::from_secs(60), "the Deployment to go", || {
        let gone = get(namespace.name(), &["deployments"])?["items"].as_array().is_some_and(Vec::is_empty);
        Ok(gone.then_some(()))
    })?;
    get(namespace.name(), &["pvc", "team-data"])?;

    apply(namespace.name(), SIX_LINES)?;
    let back = Registry::ready(namespace.name(), "team")?;
    ensure!(back.password == registry.password, "the admin's password changed");
    back.log_in("admin", &back.password)?;
    ensure!(digest == run(&mut back.crane(&["digest", &back.reference("hello:1")]))?, "another image");
    Ok(())
}

// operator 16
#[test]
fn a_child_changed_by_hand_is_put_back_and_said() -> Result<()> {
    let namespace = Namespace::create("e2e-reverted")?;
    six_line_registry(namespace.name())?;
    let ports = r#"{"spec": {"type": "NodePort"}}"#;
    run(&mut kubectl(&[
        "-n",
        namespace.name(),
        "patch",
        "service",
        "team-registry",
        "--type=merge",
        "-p",
        ports,
    ]))?;
    eventually(Duration::from_secs(30), "the Service to be put back", || {
        let service = get(namespace.name(), &["service", "team-registry"])?;
        Ok((service["spec"]["type"] == "ClusterIP").then_some(()))
    })?;
    eventually(Duration::from_secs(30), "the Event", || {
        let events = get(namespace.name(), &["events", "--field-selector=reason=Reverted"])?;
        Ok(events["items"].as_array().is_some_and(|items| !items.is_empty()).then_some(()))
    })
}
