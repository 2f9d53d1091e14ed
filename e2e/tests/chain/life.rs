//! What must survive: killed servers, a killed operator, a deleted object.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{
    children::versions,
    kubectl::{apply, get, kubectl, wait},
    namespace::Namespace,
    operator::NAMESPACE as OPERATOR,
    pod,
    process::{eventually, run},
    registry::{Registry, hello_layout},
};

use crate::{
    clients::{SIX_LINES, six_line_registry},
    deletion::children,
};

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
    // The Deployment may still speak of the pod that was killed, and that pod's server may still answer.
    let pods = eventually(Duration::from_secs(60), "a new pod", || {
        let now = registry.pods()?;
        Ok((!now.is_empty() && now.iter().all(|pod| !before.contains(pod))).then_some(now))
    })?;
    for pod in &pods {
        wait(namespace.name(), &format!("pod/{pod}"), "condition=Ready", 60)?;
    }
    let after = eventually(Duration::from_secs(60), "the image after the kill", || {
        run(&mut registry.crane(&["digest", &image])).map(Some)
    })?;
    ensure!(digest == after, "{digest} became {after}");
    run(&mut registry.crane(&["validate", "--remote", &image])).map(drop)
}

// The client's retry succeeds, and what was acknowledged before the kill is there, bit for bit.
#[test]
fn a_server_killed_in_the_middle_of_a_push_loses_nothing() -> Result<()> {
    let namespace = Namespace::create("e2e-midpush")?;
    let registry = six_line_registry(namespace.name())?;
    let first = registry.reference("hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &first]))?;
    let digest = run(&mut registry.crane(&["digest", &first]))?;

    // Half a gigabyte takes long enough for the kill to meet it.
    let folder = tempfile::tempdir()?;
    let (noise, layer) = (folder.path().join("noise"), folder.path().join("layer.tar"));
    let random = ["if=/dev/urandom", "bs=1M", "count=512", "status=none"];
    run(std::process::Command::new("dd").args(random).arg(format!("of={}", noise.display())))?;
    run(std::process::Command::new("tar").arg("-cf").arg(&layer).arg("-C").arg(folder.path()).arg("noise"))?;
    let big = registry.reference("big:1");
    let layer = layer.display().to_string();
    let append = ["append", "--new_layer", &layer, "--new_tag", &big];
    let mut push = registry.crane(&append).stderr(std::process::Stdio::null()).spawn()?;
    let victim = pod::pid(namespace.name(), registry.pods()?.first().context("no pod")?)?;
    let written = || pod::written(victim);
    let before = written()?;
    eventually(Duration::from_secs(60), "an upload under way", || {
        Ok((written()? > before + (64 << 20)).then_some(()))
    })?;
    pod::signal(victim, "KILL")?;
    let _ = push.wait()?;

    eventually(Duration::from_secs(120), "the push again", || run(&mut registry.crane(&append)).map(Some))?;
    run(&mut registry.crane(&["validate", "--remote", &big]))?;
    ensure!(digest == run(&mut registry.crane(&["digest", &first]))?, "the first image changed");
    run(&mut registry.crane(&["validate", "--remote", &first])).map(drop)
}

// operator 2; guarantee 1 of the API
#[test]
fn a_killed_operator_writes_no_child() -> Result<()> {
    let namespace = Namespace::create("e2e-restart")?;
    six_line_registry(namespace.name())?;
    let before = versions(namespace.name())?;
    ensure!(before.len() >= 10, "only {before:?}");
    let operator = || -> Result<(String, i64)> {
        let pods = get(OPERATOR, &["pods", "-l", "app.kubernetes.io/name=private-registry-operator"])?;
        let pod = &pods["items"][0];
        let name = pod["metadata"]["name"].as_str().context("no operator")?.to_owned();
        Ok((name, pod["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap_or_default()))
    };
    let (name, restarts) = operator()?;
    pod::signal(pod::pid(OPERATOR, &name)?, "KILL")?;
    eventually(Duration::from_secs(60), "the operator to start again", || {
        Ok((operator()?.1 > restarts).then_some(()))
    })?;

    // A change of the object proves that the new operator has made its passes.
    let patch = r#"{"spec": {"readOnly": true}}"#;
    run(&mut kubectl(&["-n", namespace.name(), "patch", "preg", "team", "--type=merge", "-p", patch]))?;
    let after = eventually(Duration::from_secs(60), "the new operator's pass", || {
        let now = versions(namespace.name())?;
        Ok((now != before).then_some(now))
    })?;
    let changed: Vec<_> = before.iter().filter(|(key, version)| after.get(*key) != Some(version)).collect();
    ensure!(changed.len() == 1 && changed[0].0.contains("team-live"), "also written: {changed:?}");
    Ok(())
}

// operator 32: children go, volume, accounts and CA stay
#[test]
fn a_deleted_registry_comes_back_with_its_images_and_accounts() -> Result<()> {
    let namespace = Namespace::create("e2e-retain")?;
    let registry = six_line_registry(namespace.name())?;
    run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference("hello:1")]))?;
    let digest = run(&mut registry.crane(&["digest", &registry.reference("hello:1")]))?;

    run(&mut kubectl(&["-n", namespace.name(), "delete", "preg", "team", "--wait"]))?;
    let kept = ["secret/team-ca", "secret/team-htpasswd", "secret/team-pull", "secret/team.admin"];
    eventually(Duration::from_secs(60), "all children to go but what is kept", || {
        let left = children(namespace.name())?;
        let other = |one: &&str| !kept.contains(one) && *one != "persistentvolumeclaim/team-data";
        let others: Vec<&str> = left.lines().filter(other).collect();
        ensure!(others.is_empty(), "left: {others:?}");
        Ok(Some(()))
    })?;
    ensure!(children(namespace.name())?.contains("persistentvolumeclaim/team-data"), "the volume is gone");

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
