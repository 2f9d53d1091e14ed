//! Pods that do not come up: the old ones serve, and the object says in the pod's own words what is wrong.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{get, kubectl},
    namespace::Namespace,
    object::{apply_object, condition, patch, settled},
    pod,
    process::{eventually, run},
    registry::{Registry, answers},
};

use crate::clients::six_line_registry;

/// Waits until the object says what a new pod says of itself, while the old ones serve.
pub fn rolling_out(namespace: &str, said: impl Fn(&str) -> bool) -> Result<()> {
    eventually(Duration::from_secs(60), "the pod's words", || {
        let (now, message) = condition(namespace, "team", "Progressing")?;
        ensure!(now == "True/RollingOut" && said(&message), "{now}: {message}");
        Ok(Some(()))
    })
}

// operator 89
#[test]
fn an_image_that_nobody_has_is_said_and_the_old_pod_serves() -> Result<()> {
    let namespace = Namespace::create("e2e-image")?;
    apply_object(namespace.name(), "team", "{storage: {ephemeral: {}}}")?;
    let registry = Arc::new(Registry::ready(namespace.name(), "team")?);
    let pods = registry.pods()?;
    let load = answers(&registry);
    patch(namespace.name(), "team", r#"{"image": {"reference": "localhost/nobody-has-this:1"}}"#)?;
    rolling_out(namespace.name(), |said| said.contains("ImagePull"))?;
    patch(namespace.name(), "team", r#"{"image": null}"#)?;
    settled(namespace.name(), "team")?;
    load.finish()?;
    ensure!(pods == registry.pods()?, "the pod that served was replaced");
    Ok(())
}

// operator 90
#[test]
fn a_server_that_is_killed_at_each_start_is_said_once() -> Result<()> {
    let namespace = Namespace::create("e2e-loop")?;
    six_line_registry(namespace.name())?;
    let names = pod::pods(namespace.name(), "team", "registry")?;
    let name = names.first().map_or("", String::as_str);
    for restarts in 0..=3 {
        eventually(Duration::from_secs(90), &format!("start {restarts}"), || {
            let pod = get(namespace.name(), &["pod", name])?;
            let container = &pod["status"]["containerStatuses"][0];
            ensure!(container["restartCount"] == restarts && container["started"] == true, "{container}");
            Ok(Some(()))
        })?;
        pod::signal(pod::pid(namespace.name(), name)?, "KILL")?;
    }
    eventually(Duration::from_secs(60), "the loop to be said", || {
        let (now, message) = condition(namespace.name(), "team", "Degraded")?;
        ensure!(now == "True/RestartLoop" && message.contains("exit code 137"), "{now}: {message}");
        Ok(Some(()))
    })?;
    let events =
        ["-n", namespace.name(), "get", "events", "--field-selector=reason=RestartLoop", "-o", "name"];
    let told = run(&mut kubectl(&events))?;
    ensure!(told.lines().count() == 1, "{told}");
    Ok(())
}
