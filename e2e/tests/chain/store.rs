//! What is seen of the store of a registry that is up.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{get, kubectl},
    namespace::Namespace,
    object::{apply_object, patch_any, settled, until},
    pod,
    process::{eventually, run},
    registry::{Registry, hello_layout},
};

use crate::{clients::six_line_registry, shared::Shared};

/// The store's identity, in the volume.
const IDENTITY: &str = "docker/registry/v2/identity";

// operator 98, registry ST3: another volume comes to lie where the store was; it serves again when that is mended
#[test]
fn a_store_that_is_exchanged_under_a_registry_that_is_up_is_said() -> Result<()> {
    let namespace = Namespace::create("e2e-exchanged")?;
    let registry = six_line_registry(namespace.name())?;
    let image = registry.reference("hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;
    let pods = registry.pods()?;
    let server = pod::pid(namespace.name(), pods.first().context("no pod")?)?;
    let file = format!("/proc/{server}/root/var/lib/registry/{IDENTITY}");
    let ours = fs::read(&file)?;
    fs::write(&file, "another-store")?;
    let said = until(namespace.name(), "team", "StorageReady", "False/StoreMismatch")?;
    ensure!(said.contains("team-data") && said.contains("accept-empty-store="), "{said}");
    until(namespace.name(), "team", "Ready", "False/StoreMismatch")?;
    fs::write(&file, ours)?;
    until(namespace.name(), "team", "Ready", "True/AllReady")?;
    run(&mut registry.crane(&["validate", "--remote", &image]))?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}

/// A gauge of the registry's.
fn gauge(namespace: &str, registry: &Registry, name: &str) -> Result<f64> {
    let pods = registry.pods()?;
    let pod = pods.first().context("no pod")?;
    let path = format!("/api/v1/namespaces/{namespace}/pods/http:{pod}:5001/proxy/metrics");
    let metrics = run(&mut kubectl(&["get", "--raw", &path]))?;
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(value.with_context(|| format!("no {name} in {metrics}"))?.parse()?)
}

/// Bytes of a quantity of mebibytes or gibibytes.
fn bytes(text: &str) -> Result<f64> {
    let number: f64 = text.trim_end_matches(['M', 'G', 'i']).parse()?;
    Ok(number * if text.ends_with("Gi") { 1_073_741_824.0 } else { 1_048_576.0 })
}

// Status, storage: what is used of a volume that is a file system of its own; of a folder in another one, nothing
#[test]
fn what_is_used_of_a_volume_is_said() -> Result<()> {
    let namespace = Namespace::create("e2e-used")?;
    let _shared = Shared::of_the_disk(&namespace)?;
    let spec = "{storage: {filesystem: {existingClaimName: shared}}, cache: {none: {}}}";
    apply_object(namespace.name(), "team", spec)?;
    apply_object(namespace.name(), "folder", "{storage: {filesystem: {size: 1Gi}}, cache: {none: {}}}")?;
    settled(namespace.name(), "team")?;
    let registry = Registry::ready(namespace.name(), "team")?;
    let mut looks = 0;
    let said = eventually(Duration::from_secs(60), "what is used to be said", || {
        // The operator may have asked before the registry had looked, and asks again in minutes: a look is asked for.
        looks += 1;
        let look = format!(r#"{{"metadata": {{"annotations": {{"example.com/look": "{looks}"}}}}}}"#);
        patch_any(namespace.name(), &["preg", "team"], &look)?;
        let object = get(namespace.name(), &["preg", "team"])?;
        Ok(object["status"]["storage"]["used"].as_str().map(str::to_owned))
    })?;
    let used = gauge(namespace.name(), &registry, "registry_store_used_bytes")?;
    let capacity = gauge(namespace.name(), &registry, "registry_store_capacity_bytes")?;
    ensure!((bytes(&said)? - used).abs() < capacity / 50.0, "{said} are not {used} of {capacity}");
    let wide = run(&mut kubectl(&["-n", namespace.name(), "get", "preg", "team", "-o", "wide"]))?;
    ensure!(wide.contains("USED") && wide.contains(&said), "{wide}");
    let folder = settled(namespace.name(), "folder")?;
    ensure!(folder["status"]["storage"]["used"].is_null(), "{}", folder["status"]["storage"]);
    Ok(())
}
