//! What a pod next door can reach: the public port, and nothing else.

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{apply, get, wait},
    namespace::Namespace,
    object::{apply_object, condition, patch, settled, until},
};

use crate::clients::six_line_registry;

/// A pod that ends well when it reaches `host:port` over TCP, and badly when it does not.
fn dial(name: &str, host: &str, port: u16) -> String {
    format!(
        r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "{name}"}}, "spec": {{"restartPolicy": "Never",
  "automountServiceAccountToken": false,
  "securityContext": {{"runAsNonRoot": true, "seccompProfile": {{"type": "RuntimeDefault"}}}},
  "containers": [{{"name": "dial", "image": "localhost/hello:dev", "imagePullPolicy": "IfNotPresent",
    "args": ["dial", "{host}", "{port}"],
    "securityContext": {{"allowPrivilegeEscalation": false, "capabilities": {{"drop": ["ALL"]}}}}}}]}}}}"#
    )
}

/// Dials from a pod of its own, and waits for what becomes of it.
fn reaches(namespace: &str, name: &str, host: &str, port: u16, reached: bool) -> Result<()> {
    apply(namespace, &dial(name, host, port))?;
    let phase = if reached { "Succeeded" } else { "Failed" };
    wait(namespace, &format!("pod/{name}"), &format!("jsonpath={{.status.phase}}={phase}"), 60).map(drop)
}

fn address_of(namespace: &str, service: &str) -> Result<String> {
    let service = get(namespace, &["service", service])?;
    Ok(service["spec"]["clusterIP"].as_str().context("no address")?.to_owned())
}

// operator 101, seed S8: the firewall, then without it
#[test]
fn a_neighbour_reaches_the_public_port_and_nothing_else() -> Result<()> {
    let (tools, apps) = (Namespace::create("e2e-firewall")?, Namespace::create("e2e-neighbour")?);
    let registry = six_line_registry(tools.name())?;
    let (admin, redis) = (address_of(tools.name(), "team-admin")?, address_of(tools.name(), "team-redis")?);

    reaches(apps.name(), "public", &registry.address, 443, true)?;
    reaches(apps.name(), "admin", &admin, 5001, false)?;
    reaches(apps.name(), "redis", &redis, 6379, false)?;
    reaches(tools.name(), "admin-inside", &admin, 5001, true)?;
    reaches(tools.name(), "redis-inside", &redis, 6379, false)?;

    patch(tools.name(), "team", r#"{"networkPolicy": {"mode": "Disabled"}}"#)?;
    settled(tools.name(), "team")?;
    reaches(apps.name(), "admin-open", &admin, 5001, true)?;
    reaches(apps.name(), "redis-open", &redis, 6379, true)?;

    patch(tools.name(), "team", r#"{"networkPolicy": null}"#)?;
    settled(tools.name(), "team")?;
    reaches(apps.name(), "admin-closed", &admin, 5001, false)
}

// operator 62, guarantee 9
#[test]
fn an_object_that_always_fails_slows_no_other() -> Result<()> {
    let namespace = Namespace::create("e2e-crowd")?;
    let foreign = "{apiVersion: v1, kind: ConfigMap, metadata: {name: broken-live}, data: {a: b}}";
    apply(namespace.name(), foreign)?;
    apply_object(namespace.name(), "broken", "{storage: {ephemeral: {}}}")?;
    until(namespace.name(), "broken", "Ready", "False/NameConflict")?;
    let names: Vec<String> = (0..6).map(|number| format!("good-{number}")).collect();
    for name in &names {
        apply_object(namespace.name(), name, "{storage: {ephemeral: {}}, cache: {none: {}}}")?;
    }
    for name in &names {
        settled(namespace.name(), name)?;
    }
    let (state, _) = condition(namespace.name(), "broken", "Ready")?;
    ensure!(state == "False/NameConflict", "broken is {state}");
    Ok(())
}
