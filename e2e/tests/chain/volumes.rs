//! Volumes: what cannot be is named, and images are never left behind.

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{apply_object, manifest, patch, patch_any, settled, until},
    process::run,
    registry::{Registry, hello_layout},
};

use crate::clients::six_line_registry;

// operator 100
#[test]
fn a_storage_class_that_does_not_exist_is_named_with_those_that_do() -> Result<()> {
    let namespace = Namespace::create("e2e-class")?;
    let spec = "{storage: {filesystem: {size: 1Gi, storageClassName: nowhere}}}";
    apply_object(namespace.name(), "team", spec)?;
    let said = until(namespace.name(), "team", "StorageReady", "False/StorageClassNotFound")?;
    ensure!(said.contains("nowhere") && said.contains("standard"), "{said}");
    until(namespace.name(), "team", "Ready", "False/StorageClassNotFound").map(drop)
}

// operator 28: a class that cannot grow volumes; nothing is retried, the registry stays ready
#[test]
fn a_volume_that_cannot_grow_is_said_and_the_registry_serves_on() -> Result<()> {
    let namespace = Namespace::create("e2e-grow")?;
    let registry = six_line_registry(namespace.name())?;
    let pods = registry.pods()?;
    patch(namespace.name(), "team", r#"{"storage": {"filesystem": {"size": "2Gi"}}}"#)?;
    let said = until(namespace.name(), "team", "VolumeResizing", "False/ExpansionNotSupported")?;
    ensure!(said.contains("allowVolumeExpansion"), "{said}");
    until(namespace.name(), "team", "Ready", "True/AllReady")?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}

// operator 97
#[test]
fn another_backend_is_held_until_it_is_confirmed() -> Result<()> {
    let namespace = Namespace::create("e2e-held")?;
    let registry = six_line_registry(namespace.name())?;
    let image = registry.reference("hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;
    let pods = registry.pods()?;
    let other = r#"{"storage": {"filesystem": null, "ephemeral": {}}}"#;
    patch(namespace.name(), "team", other)?;
    let said = until(namespace.name(), "team", "StorageReady", "False/BackendChanged")?;
    ensure!(said.contains("privateregistry.dev/accept-storage=ephemeral"), "{said}");
    ensure!(pods == registry.pods()?, "pods were replaced");
    run(&mut registry.crane(&["validate", "--remote", &image]))?;
    let back = r#"{"storage": {"ephemeral": null, "filesystem": {"size": "1Gi"}}}"#;
    patch(namespace.name(), "team", back)?;
    until(namespace.name(), "team", "StorageReady", "True/VolumeBound")?;
    ensure!(pods == registry.pods()?, "pods were replaced");

    patch(namespace.name(), "team", other)?;
    let confirmed = r#"{"metadata": {"annotations": {"privateregistry.dev/accept-storage": "ephemeral"}}}"#;
    patch_any(namespace.name(), &["preg", "team"], confirmed)?;
    let object = settled(namespace.name(), "team")?;
    ensure!(object["status"]["storage"]["backend"] == "ephemeral", "{}", object["status"]["storage"]);
    get(namespace.name(), &["pvc", "team-data"]).map(drop)
}

// operator 34
#[test]
fn a_claim_of_somebody_else_is_never_touched_unless_it_is_given() -> Result<()> {
    let namespace = Namespace::create("e2e-foreign")?;
    let claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: team-data}, spec: {
        accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}";
    apply(namespace.name(), claim)?;
    let before = get(namespace.name(), &["pvc", "team-data"])?;
    apply_object(namespace.name(), "team", "{storage: {filesystem: {size: 1Gi}}}")?;
    let said = until(namespace.name(), "team", "StorageReady", "False/ClaimNotOurs")?;
    let uid = before["metadata"]["uid"].as_str().unwrap_or_default();
    ensure!(said.contains(&format!("privateregistry.dev/adopt={uid}")), "{said}");
    let after = get(namespace.name(), &["pvc", "team-data"])?;
    ensure!(before["metadata"]["labels"] == after["metadata"]["labels"], "labels were written");
    let adopt =
        format!("{{\"metadata\": {{\"annotations\": {{\"privateregistry.dev/adopt\": \"{uid}\"}}}}}}");
    patch_any(namespace.name(), &["preg", "team"], &adopt)?;
    settled(namespace.name(), "team").map(drop)
}

#[test]
fn an_existing_claim_is_used_as_it_is() -> Result<()> {
    let namespace = Namespace::create("e2e-existing")?;
    apply_object(namespace.name(), "team", "{storage: {filesystem: {existingClaimName: old}}}")?;
    until(namespace.name(), "team", "StorageReady", "False/ClaimNotFound")?;
    let claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: old}, spec: {
        accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}";
    apply(namespace.name(), claim)?;
    settled(namespace.name(), "team")?;
    let registry = Registry::ready(namespace.name(), "team")?;
    registry.log_in("admin", &registry.password)?;
    run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference("hello:1")]))?;
    let claim = get(namespace.name(), &["pvc", "old"])?;
    ensure!(
        claim["metadata"]["ownerReferences"].is_null() && claim["metadata"]["labels"].is_null(),
        "{claim}"
    );
    patch(namespace.name(), "team", r#"{"replicas": 2}"#)?;
    let said = until(namespace.name(), "team", "StorageReady", "False/AccessModeUnsupported")?;
    ensure!(said.contains("ReadWriteMany"), "{said}");
    run(&mut registry.crane(&["validate", "--remote", &registry.reference("hello:1")]))?;
    run(&mut kubectl(&["-n", namespace.name(), "delete", "preg", "team", "--wait"]))?;
    get(namespace.name(), &["pvc", "old"]).map(drop)
}

// operator 98, seed D11: the volume came up empty; the server does not start on it
#[test]
fn an_emptied_volume_is_not_served() -> Result<()> {
    let namespace = Namespace::create("e2e-emptied")?;
    let registry = six_line_registry(namespace.name())?;
    run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference("hello:1")]))?;
    patch(namespace.name(), "team", r#"{"suspend": true}"#)?;
    until(namespace.name(), "team", "Ready", "False/Suspended")?;
    run(&mut kubectl(&[
        "-n",
        namespace.name(),
        "wait",
        "--for=delete",
        "pod",
        "-l",
        "app.kubernetes.io/component=registry",
        "--timeout=60s",
    ]))?;
    // A pod of the test empties the volume, as a file server that forgot its mount would.
    let job = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "sweep"}, "spec": {"restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "sweep", "image": "localhost/hello:dev", "imagePullPolicy": "IfNotPresent", "args": ["empty", "/data"],
          "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
          "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "team-data"}}]}}"#;
    apply(namespace.name(), job)?;
    e2e::kubectl::wait(namespace.name(), "pod/sweep", "jsonpath={.status.phase}=Succeeded", 60)?;
    patch(namespace.name(), "team", r#"{"suspend": false}"#)?;
    let said = until(namespace.name(), "team", "StorageReady", "False/StoreMismatch")?;
    ensure!(said.contains("accept-empty-store="), "{said}");
    let uid = get(namespace.name(), &["pvc", "team-data"])?["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let accept = format!(
        "{{\"metadata\": {{\"annotations\": {{\"privateregistry.dev/accept-empty-store\": \"{uid}\"}}}}}}"
    );
    patch_any(namespace.name(), &["preg", "team"], &accept)?;
    settled(namespace.name(), "team").map(drop)
}

// operator 83: what the schema refuses of a volume, in a user's words
#[test]
fn sizes_and_claims_exclude_each_other() -> Result<()> {
    let namespace = Namespace::create("e2e-volume-rules")?;
    for (filesystem, message) in [
        ("{}", "set exactly one of size and existingClaimName"),
        ("{size: 1Gi, existingClaimName: old}", "set exactly one of size and existingClaimName"),
        ("{existingClaimName: old, storageClassName: fast}", "storageClassName goes with size"),
        ("{size: lots}", "size must be a quantity"),
    ] {
        let object = manifest("team", &format!("{{storage: {{filesystem: {filesystem}}}}}"));
        let error = apply(namespace.name(), &object).err().map(|error| format!("{error:#}"));
        ensure!(error.as_ref().is_some_and(|said| said.contains(message)), "{filesystem}: {error:?}");
    }
    Ok(())
}
