//! A volume grows under a registry that is up.

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{apply_object, patch, patch_any, until},
    process::run,
    registry::{Registry, hello_layout},
};

/// Volumes of the node's own provisioner, of a class that says they can grow. What a cloud's driver does then, the test
/// does in its place.
const CLASS: &str = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: e2e-growing},
    provisioner: rancher.io/local-path, volumeBindingMode: WaitForFirstConsumer, allowVolumeExpansion: true}";

/// The class, gone at the end.
struct Class;

impl Class {
    fn create() -> Result<Self> {
        apply("default", CLASS).map(|_| Self)
    }
}

impl Drop for Class {
    fn drop(&mut self) {
        let _ = run(&mut kubectl(&["delete", "storageclass", "e2e-growing", "--wait=false"]));
    }
}

/// The volume has become larger, and its driver says so.
fn grown(namespace: &str, size: &str) -> Result<()> {
    let claim = get(namespace, &["pvc", "team-data"])?;
    let volume = claim["spec"]["volumeName"].as_str().context("the claim has no volume")?;
    let said = format!(r#"{{"status": {{"capacity": {{"storage": "{size}"}}}}}}"#);
    patch_any(namespace, &["pvc", "team-data", "--subresource=status"], &said)?;
    let capacity = format!(r#"{{"spec": {{"capacity": {{"storage": "{size}"}}}}}}"#);
    patch_any(namespace, &["pv", volume], &capacity)
}

// operator 27: growing is asked of the claim, told while it lasts, and ends; no pod is replaced
#[test]
fn a_volume_grows_while_the_registry_serves() -> Result<()> {
    let _class = Class::create()?;
    let namespace = Namespace::create("e2e-growing")?;
    let spec =
        |size: &str| format!("{{storage: {{filesystem: {{size: {size}, storageClassName: e2e-growing}}}}}}");
    apply_object(namespace.name(), "team", &spec("1Gi"))?;
    let registry = Registry::ready(namespace.name(), "team")?;
    registry.log_in("admin", &registry.password)?;
    let (pods, image) = (registry.pods()?, registry.reference("hello:1"));
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;

    patch(namespace.name(), "team", r#"{"storage": {"filesystem": {"size": "2Gi"}}}"#)?;
    let said = until(namespace.name(), "team", "VolumeResizing", "True/Resizing")?;
    ensure!(said.contains("from 1Gi to 2Gi"), "{said}");
    grown(namespace.name(), "2Gi")?;
    until(namespace.name(), "team", "VolumeResizing", "False/NotResizing")?;
    until(namespace.name(), "team", "Ready", "True/AllReady")?;
    let capacity = get(namespace.name(), &["preg", "team"])?["status"]["storage"]["capacity"].clone();
    ensure!(capacity == "2Gi", "{capacity}");
    run(&mut registry.crane(&["validate", "--remote", &image]))?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}
