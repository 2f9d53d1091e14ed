//! Settings that running pods take over: no restart, no failed request.

use std::{collections::BTreeMap, process::Command, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{
    children::versions,
    kubectl::kubectl,
    namespace::Namespace,
    object::{patch, patch_any, settled},
    process::{eventually, must_fail, run, run_with_input},
    registry::{Registry, answers, hello_layout, secret},
};

use crate::clients::six_line_registry;

/// Promised of all that running pods take over. The operator has the kubelet look at the pods' files at once, which it would
/// do every 60 to 90 s; the server looks every five or ten. What takes longer was not handed over.
const PROMISE: Duration = Duration::from_secs(90);

// operator 91, registry LM5
#[test]
fn read_only_comes_and_goes_without_a_restart() -> Result<()> {
    let namespace = Namespace::create("e2e-readonly")?;
    let registry = six_line_registry(namespace.name())?;
    let image = registry.reference("hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;
    let pods = registry.pods()?;

    patch(namespace.name(), "team", r#"{"readOnly": true}"#)?;
    eventually(PROMISE, "tags to be refused", || {
        Ok(must_fail(&mut registry.crane(&["tag", &image, "two"])).ok())
    })?;
    run(&mut registry.crane(&["validate", "--remote", &image]))?;
    patch(namespace.name(), "team", r#"{"readOnly": false}"#)?;
    eventually(PROMISE, "tags to be taken", || run(&mut registry.crane(&["tag", &image, "two"])).map(Some))?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}

/// What the registry's pod has logged.
fn logs(namespace: &str, registry: &Registry) -> Result<String> {
    let pod = registry.pods()?.into_iter().next().context("no pod")?;
    run(&mut kubectl(&["-n", namespace, "logs", &pod, "--tail=-1"]))
}

/// Asks for one repository after the other until the log has, or lacks, a line of one that was asked for a moment ago.
fn logged(namespace: &str, registry: &Registry, word: &str, wanted: bool) -> Result<String> {
    let mut asked: Vec<String> = Vec::new();
    eventually(PROMISE, &format!("access lines of {word}: {wanted}"), || {
        let name = format!("{word}-{}-end", asked.len());
        registry.status_of(&format!("/v2/{name}/tags/list"), "admin", &registry.password)?;
        let lines = logs(namespace, registry)?;
        let found = asked.last().filter(|name| lines.contains(*name) == wanted).cloned();
        asked.push(name);
        Ok(found)
    })
}

/// A connection that ends with what is no HTTP: the server has a line about that for those who look for trouble.
fn talk_nonsense(registry: &Registry) -> Result<()> {
    let target = format!("{}:443", registry.address);
    let mut openssl = Command::new("openssl");
    run_with_input(openssl.args(["s_client", "-quiet", "-connect", &target]), "no such thing\r\n\r\n")
        .map(drop)
}

/// Fails when another child than the one with the live settings was written.
fn only_live(namespace: &str, before: &BTreeMap<String, String>) -> Result<()> {
    let after = versions(namespace)?;
    let changed: Vec<&String> = before.keys().filter(|key| after.get(*key) != before.get(*key)).collect();
    ensure!(after.len() == before.len() && changed.len() == 1, "written: {changed:?}");
    ensure!(changed[0].contains("team-live"), "written: {changed:?}");
    Ok(())
}

// operator 91: the level and the access log
#[test]
fn what_is_logged_changes_without_a_restart() -> Result<()> {
    let namespace = Namespace::create("e2e-logging")?;
    let registry = six_line_registry(namespace.name())?;
    settled(namespace.name(), "team")?;
    let (pods, before) = (registry.pods()?, versions(namespace.name())?);

    logged(namespace.name(), &registry, "at-first", true)?;
    patch(namespace.name(), "team", r#"{"logging": {"access": "Disabled"}}"#)?;
    let unseen = logged(namespace.name(), &registry, "unseen", false)?;
    patch(namespace.name(), "team", r#"{"logging": {"access": "Enabled", "level": "Debug"}}"#)?;
    logged(namespace.name(), &registry, "seen-again", true)?;
    // Lines keep their order: this one is not on its way.
    ensure!(!logs(namespace.name(), &registry)?.contains(&unseen), "{unseen} was logged late");

    eventually(PROMISE, "a debug line", || {
        talk_nonsense(&registry)?;
        let lines = logs(namespace.name(), &registry)?;
        Ok(lines
            .lines()
            .any(|line| line.contains("DEBUG") && line.contains("connection ended"))
            .then_some(()))
    })?;
    patch(namespace.name(), "team", r#"{"logging": {"level": "Warn"}}"#)?;
    // An access line is of level INFO.
    logged(namespace.name(), &registry, "too-low", false)?;
    only_live(namespace.name(), &before)?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}

// operator 91: how large manifests and blobs may be
#[test]
fn limits_come_and_go_without_a_restart() -> Result<()> {
    let namespace = Namespace::create("e2e-limits")?;
    let registry = six_line_registry(namespace.name())?;
    settled(namespace.name(), "team")?;
    let (pods, before) = (registry.pods()?, versions(namespace.name())?);
    let (layout, mut number) = (hello_layout()?, 0);
    // Of another name each time: what is there already is not pushed again.
    let mut push = || {
        number += 1;
        registry.crane(&["push", &layout, &registry.reference(&format!("hello-{number}:1"))])
    };
    patch(namespace.name(), "team", r#"{"limits": {"maxBlobSize": "1Ki"}}"#)?;
    eventually(PROMISE, "blobs to be refused", || {
        Ok(must_fail(&mut push()).ok().filter(|said| said.contains("413")))
    })?;
    patch(namespace.name(), "team", r#"{"limits": null}"#)?;
    eventually(PROMISE, "blobs to be taken", || run(&mut push()).map(Some))?;
    only_live(namespace.name(), &before)?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}

// operator 9, operator 94: an account changes, no pod does, and nobody else notices
#[test]
fn a_changed_password_is_taken_over_without_a_restart() -> Result<()> {
    let namespace = Namespace::create("e2e-password")?;
    let registry = Arc::new(six_line_registry(namespace.name())?);
    let users = r#"{"auth": {"htpasswd": {"users": [{"name": "admin"}, {"name": "dev"}]}}}"#;
    patch(namespace.name(), "team", users)?;
    settled(namespace.name(), "team")?;
    let (pods, load) = (registry.pods()?, answers(&registry));
    let old = secret(namespace.name(), "team.dev", "password")?;
    let new = "correct-horse-battery-staple";
    let changed = format!(r#"{{"stringData": {{"password": "{new}"}}}}"#);
    patch_any(namespace.name(), &["secret", "team.dev"], &changed)?;
    eventually(PROMISE, "the new password", || {
        Ok((registry.status_of("/v2/", "dev", new)? == "200").then_some(()))
    })?;
    ensure!(registry.status_of("/v2/", "dev", &old)? == "401", "the old password still works");
    let made = load.finish()?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    println!("{made} requests, none failed");
    Ok(())
}
