//! The API server, the kubelet and the proxy of Services stop.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use e2e::{
    component::Stopped,
    kubectl::{apply, get},
    namespace::Namespace,
    object::{patch, settled, until},
    process::{eventually, run},
    registry::Registry,
};

use crate::{ALONE, registry};

/// A second registry.
const OTHER: &str =
    "{apiVersion: privateregistry.dev/v1alpha1, kind: PrivateRegistry, metadata: {name: other},
    spec: {storage: {ephemeral: {}}, cache: {none: {}}}}";

// guarantee 11, operator 67, operator 69: a minute without the API server
#[test]
fn without_the_api_server_registries_serve_and_the_operator_recovers() -> Result<()> {
    let _alone = ALONE.lock();
    let namespace = Namespace::create("e2e-outage")?;
    let (registry, load) = registry(namespace.name())?;
    let pods = registry.pods()?;
    let began = Instant::now();
    let stopped = Stopped::stop("kube-apiserver")?;
    // The minute is the test: a shorter outage ends before the operator's lease does.
    while began.elapsed() < Duration::from_secs(60) {
        ensure!(
            registry.status_of("/v2/", "admin", &registry.password)? == "200",
            "the registry does not answer"
        );
    }
    stopped.start()?;
    let made = load.finish()?;
    patch(namespace.name(), "team", r#"{"logging": {"level": "Debug"}}"#)?;
    eventually(Duration::from_secs(120), "the operator to carry out a change", || {
        let live = get(namespace.name(), &["configmap", "team-live"])?;
        Ok(live["data"]["live.yml"].as_str().is_some_and(|text| text.contains("debug")).then_some(()))
    })?;
    settled(namespace.name(), "team")?;
    until(namespace.name(), "team", "Ready", "True/AllReady")?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    println!("{made} requests during the outage, none failed");
    Ok(())
}

// A kubelet that starts takes its pods for not ready until it has probed them: with one pod that is a moment without
// an answer, and none of ours. Pods, processes and images are the same afterwards.
#[test]
fn a_restarted_kubelet_costs_no_pod_and_no_image() -> Result<()> {
    let _alone = ALONE.lock();
    let namespace = Namespace::create("e2e-kubelet")?;
    apply(namespace.name(), include_str!("../../../examples/minimal.yaml"))?;
    let registry = Registry::ready(namespace.name(), "team")?;
    registry.log_in("admin", &registry.password)?;
    let image = registry.reference("hello:1");
    let layout = std::env::var("HELLO_LAYOUT")?;
    run(&mut registry.crane(&["push", &layout, &image]))?;
    let digest = run(&mut registry.crane(&["digest", &image]))?;
    let started = || -> Result<Vec<String>> {
        let pods = get(namespace.name(), &["pods"])?;
        let read = |pod: &serde_json::Value| {
            let container = &pod["status"]["containerStatuses"][0];
            format!("{} {} {}", pod["metadata"]["uid"], container["containerID"], container["restartCount"])
        };
        Ok(pods["items"].as_array().into_iter().flatten().map(read).collect())
    };
    let before = started()?;
    Stopped::stop("kubelet")?.start()?;
    // A change that only a living kubelet can carry to the pod.
    patch(namespace.name(), "team", r#"{"readOnly": true}"#)?;
    eventually(Duration::from_secs(120), "the kubelet to work again", || {
        let code = registry.status_of_post("/v2/x/blobs/uploads/", "admin", &registry.password)?;
        Ok((code == "405").then_some(()))
    })?;
    ensure!(digest == run(&mut registry.crane(&["digest", &image]))?, "the image changed");
    run(&mut registry.crane(&["validate", "--remote", &image]))?;
    ensure!(before == started()?, "pods were replaced or restarted");
    Ok(())
}

// A proxy that starts finds the rules of the one before, and every Service goes on: those of registries, and that of the API
// server, by which the operator works.
#[test]
fn a_restarted_proxy_costs_no_request() -> Result<()> {
    let _alone = ALONE.lock();
    let namespace = Namespace::create("e2e-proxy")?;
    let (registry, load) = registry(namespace.name())?;
    Stopped::stop("kube-proxy")?.start()?;
    // A Service that only a living proxy knows of.
    apply(namespace.name(), OTHER)?;
    Registry::ready(namespace.name(), "other")?;
    patch(namespace.name(), "team", r#"{"readOnly": false}"#)?;
    settled(namespace.name(), "team")?;
    let made = load.finish()?;
    ensure!(registry.status_of("/v2/", "admin", &registry.password)? == "200", "its Service is gone");
    println!("{made} requests, none failed");
    Ok(())
}
