//! The chart is tested, upgraded, narrowed, removed and installed again.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{patch, settled},
    operator::{NAME as OPERATOR, NAMESPACE as SYSTEM, nothing_was_refused},
    process::{eventually, run, run_with_input},
    registry::Registry,
};
use serde_json::Value;

use crate::{ALONE, registry};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/private-registry-operator");
/// The object of the README, unchanged.
const SIX_LINES: &str = include_str!("../../../examples/minimal.yaml");
/// A field that the chart's former release does not know.
const NEW_FIELD: &str = "imageDeletion";

fn helm(args: &[&str]) -> Result<String> {
    run(Command::new("helm").args(args).args(["--namespace", SYSTEM]))
}

/// The release as it is installed, upgraded with `more`.
fn upgrade(values: &str, more: &[&str]) -> Result<()> {
    upgrade_to(Path::new(CHART), values, more)
}

/// The release upgraded to the chart in a folder.
fn upgrade_to(chart: &Path, values: &str, more: &[&str]) -> Result<()> {
    // Its pods are replaced, and their logs go with them.
    nothing_was_refused()?;
    let mut command = Command::new("helm");
    command.args(["upgrade", "--install", OPERATOR]).arg(chart).args([
        "--wait",
        "--timeout",
        "120s",
        "-f",
        "-",
    ]);
    run_with_input(command.args(more).args(["--namespace", SYSTEM]), values).map(drop)
}

// operator 128
#[test]
fn helm_test_pushes_pulls_and_cleans_up() -> Result<()> {
    let _alone = ALONE.lock();
    // Twice: the second run must find nothing of the first.
    for _ in 0..2 {
        let said = helm(&["test", OPERATOR, "--logs", "--timeout", "300s"])?;
        ensure!(said.contains("pulled it back, byte for byte"), "{said}");
    }
    let left =
        run(&mut kubectl(&["-n", SYSTEM, "get", "preg,pvc,secrets,roles,serviceaccounts", "-o", "name"]))?;
    ensure!(!left.contains("selftest") && !left.contains("-test"), "left behind: {left}");
    Ok(())
}

// operator 72: where it may look at some namespaces only, it needs Roles in these and nothing else
#[test]
fn an_operator_of_some_namespaces_works_with_roles_alone() -> Result<()> {
    let _alone = ALONE.lock();
    let (inside, outside) = (Namespace::create("e2e-inside")?, Namespace::create("e2e-outside")?);
    let values = helm(&["get", "values", OPERATOR, "-o", "yaml"])?;
    upgrade(&values, &["--set", &format!("watchNamespaces={{{}}}", inside.name())])?;
    let roles = run(&mut kubectl(&["get", "clusterroles,clusterrolebindings", "-o", "name"]))?;
    ensure!(!roles.contains(OPERATOR), "rights everywhere: {roles}");
    let example = include_str!("../../../examples/minimal.yaml");
    apply(outside.name(), example)?;
    apply(inside.name(), example)?;
    Registry::ready(inside.name(), "team")?;
    ensure!(get(outside.name(), &["preg", "team"])?["status"].is_null(), "it looked beyond its namespace");
    let logs = run(&mut kubectl(&["-n", SYSTEM, "logs", &format!("deployment/{OPERATOR}")]))?;
    ensure!(!logs.contains("orbidden"), "it asked for what it may not: {logs}");
    upgrade(&values, &[])?;
    Registry::ready(outside.name(), "team").map(drop)
}

/// The chart as its release before this one might have been: another version, and a CRD without one of the fields.
fn previous(folder: &Path) -> Result<()> {
    run(Command::new("cp").args(["-r", CHART]).arg(folder))?;
    let description = folder.join("Chart.yaml");
    let text = fs::read_to_string(&description)?;
    let older: String = text
        .lines()
        .map(
            |line| if line.starts_with("version:") { "version: 0.0.1\n".into() } else { format!("{line}\n") },
        )
        .collect();
    ensure!(older != text, "no version in Chart.yaml");
    fs::write(description, older)?;
    let file = folder.join("crds-src/privateregistries.privateregistry.dev.yaml");
    let read = ["create", "--dry-run=client", "--validate=false", "-o", "json", "-f"];
    let mut crd: Value = serde_json::from_str(&run(kubectl(&read).arg(&file))?)?;
    let spec =
        &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    ensure!(spec.as_object_mut().is_some_and(|fields| fields.remove(NEW_FIELD).is_some()), "no {NEW_FIELD}");
    Ok(fs::write(file, crd.to_string())?)
}

// operator 124, operator 127: the new chart brings its CRD, and no registry notices
#[test]
fn an_upgrade_of_the_chart_keeps_every_registry_serving() -> Result<()> {
    let _alone = ALONE.lock();
    let namespace = Namespace::create("e2e-upgrade")?;
    let values = helm(&["get", "values", OPERATOR, "-o", "yaml"])?;
    let scratch = std::env::temp_dir().join(namespace.name());
    previous(&scratch)?;
    upgrade_to(&scratch, &values, &[])?;
    fs::remove_dir_all(&scratch)?;
    let field = |value: &str| patch(namespace.name(), "team", &format!("{{\"{NEW_FIELD}\": \"{value}\"}}"));
    let (registry, load) = registry(namespace.name())?;
    let pods = registry.pods()?;
    field("Disabled")?;
    let object = get(namespace.name(), &["preg", "team"])?;
    ensure!(object["spec"][NEW_FIELD].is_null(), "the older CRD knows {NEW_FIELD}");

    upgrade(&values, &[])?;
    field("Disabled")?;
    let object = settled(namespace.name(), "team")?;
    ensure!(object["spec"][NEW_FIELD] == "Disabled", "the CRD was not upgraded");
    let made = load.finish()?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    println!("{made} requests during the upgrade, none failed");
    Ok(())
}

// operator 123, operator 68, operator 117: the operator goes, comes back and gets a second pod; registries do not notice
#[test]
fn the_chart_comes_and_goes_and_every_registry_serves_on() -> Result<()> {
    let _alone = ALONE.lock();
    let namespace = Namespace::create("e2e-chart")?;
    let (registry, load) = registry(namespace.name())?;
    let (pods, values) = (registry.pods()?, helm(&["get", "values", OPERATOR, "-o", "yaml"])?);

    nothing_was_refused()?;
    helm(&["uninstall", OPERATOR, "--wait"])?;
    get(namespace.name(), &["preg", "team"])?;
    ensure!(
        registry.status_of("/v2/", "admin", &registry.password)? == "200",
        "the registry went with the operator"
    );
    let (began, other) = (Instant::now(), Namespace::create("e2e-installed")?);
    upgrade(&values, &["--set", "replicas=2"])?;
    apply(other.name(), SIX_LINES)?;
    Registry::ready(other.name(), "team")?;
    println!("from helm install to Ready: {:.1} s", began.elapsed().as_secs_f64());
    drop(other);
    let standby = get(SYSTEM, &["deployment", OPERATOR])?;
    ensure!(standby["status"]["readyReplicas"] == 2, "the standby is not ready: {}", standby["status"]);
    upgrade(&values, &["--set", "replicas=1"])?;

    patch(namespace.name(), "team", r#"{"imageDeletion": "Disabled"}"#)?;
    eventually(Duration::from_secs(60), "the operator to work again", || {
        let object = get(namespace.name(), &["preg", "team"])?;
        Ok((object["status"]["observedGeneration"] == object["metadata"]["generation"]).then_some(()))
    })?;
    settled(namespace.name(), "team")?;
    let made = load.finish()?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    println!("{made} requests, none failed");
    Ok(())
}
