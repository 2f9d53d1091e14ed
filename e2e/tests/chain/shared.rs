//! A volume that several pods share: nothing that is rolled out costs a request.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use e2e::{
    kubectl::{apply, get, kubectl, wait},
    namespace::Namespace,
    object::{apply_object, patch, patch_any, settled},
    pod,
    process::{eventually, run},
    registry::{Registry, hello_layout, pushes},
};
use serde_json::{Value, json};

/// A folder of the node, as a claim that many pods may mount; gone with the test.
pub struct Shared<'a> {
    namespace: &'a Namespace,
}

impl<'a> Shared<'a> {
    /// Claim `shared` of 1 GiB in `namespace`.
    pub fn create(namespace: &'a Namespace) -> Result<Self> {
        Self::of_size(namespace, |_| Ok("1Gi".into()))
    }

    /// The same, as large as the file system that the folder is on is for those who are not root.
    pub fn of_the_disk(namespace: &'a Namespace) -> Result<Self> {
        Self::of_size(namespace, |folder| {
            let said = run(Command::new("stat").args(["-f", "-c", "%b %f %a %S"]).arg(folder))?;
            let numbers: Vec<u64> = said.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
            let [all, free, available, size] = numbers[..] else { bail!("stat said {said}") };
            Ok(((all - free + available) * size).to_string())
        })
    }

    fn of_size(namespace: &'a Namespace, size: impl Fn(&Path) -> Result<String>) -> Result<Self> {
        let name = namespace.name();
        let nodes = get(name, &["nodes"])?;
        let node = nodes["items"][0]["metadata"]["name"].as_str().context("no node")?;
        let folder = format!("/var/tmp/{name}");
        // The kubelet makes the folder for the first pod that wants it.
        let maker = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
            "containers": [{"name": "hello", "image": "localhost/hello:dev", "imagePullPolicy": "Never",
                "volumeMounts": [{"name": "folder", "mountPath": "/folder"}]}],
            "volumes": [{"name": "folder", "hostPath": {"path": folder, "type": "DirectoryOrCreate"}}]}});
        apply("default", &maker.to_string())?;
        wait("default", &format!("pod/{name}"), "condition=Ready", 60)?;
        let made = Self { namespace };
        let size = size(&made.folder()?)?;
        let here = json!({"nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/hostname",
            "operator": "In", "values": [node]}]}]});
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
            "accessModes": ["ReadWriteMany"], "capacity": {"storage": size}, "storageClassName": "",
            "persistentVolumeReclaimPolicy": "Retain", "local": {"path": folder}, "nodeAffinity": {"required": here}}});
        apply(name, &volume.to_string())?;
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "shared"}, "spec": {
            "accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": size}}, "storageClassName": "",
            "volumeName": name}});
        apply(name, &claim.to_string())?;
        Ok(made)
    }

    /// The folder, as this machine sees it.
    pub fn folder(&self) -> Result<PathBuf> {
        Ok(format!("/proc/{}/root/folder", pod::pid("default", self.namespace.name())?).into())
    }
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        let name = self.namespace.name();
        let _ = run(&mut kubectl(&["delete", "pv", name, "--wait=false"]));
        let _ = run(&mut kubectl(&["-n", "default", "delete", "pod", name, "--wait=false"]));
    }
}

/// When the newest pod of a component was made.
fn newest(namespace: &str, component: &str) -> Result<String> {
    let labels = format!("app.kubernetes.io/component={component}");
    let pods = get(namespace, &["pods", "-l", &labels])?;
    let made = pods["items"].as_array().into_iter().flatten();
    let made = made.filter_map(|pod| pod["metadata"]["creationTimestamp"].as_str().map(str::to_owned));
    made.max().context("no pod")
}

/// The Deployment of the registry, as an operator of another release might have made it: it selects by another label.
fn of_another_release(namespace: &str) -> Result<()> {
    pause(namespace, "true".into())?;
    let mut old = get(namespace, &["deployment", "team-registry"])?;
    for server_side in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"] {
        old["metadata"].as_object_mut().map(|metadata| metadata.remove(server_side));
    }
    old.as_object_mut().map(|old| old.remove("status"));
    old["spec"]["selector"] = json!({"matchLabels": {"app": "old"}});
    old["spec"]["template"]["metadata"]["labels"]["app"] = "old".into();
    run(&mut kubectl(&[
        "-n",
        namespace,
        "delete",
        "deployment",
        "team-registry",
        "--cascade=foreground",
        "--wait",
    ]))?;
    run(&mut kubectl(&[
        "-n",
        namespace,
        "wait",
        "pod",
        "-l",
        "app.kubernetes.io/component=registry",
        "--for=delete",
    ]))?;
    apply(namespace, &old.to_string())?;
    run(&mut kubectl(&["-n", namespace, "rollout", "status", "deployment/team-registry", "--timeout=90s"]))?;
    Ok(())
}

fn pause(namespace: &str, value: Value) -> Result<()> {
    let patch = json!({"metadata": {"annotations": {"privateregistry.dev/paused": value}}});
    patch_any(namespace, &["preg", "team"], &patch.to_string())
}

// operator 21, operator 118: pods of one volume, and a Redis that is replaced before them
#[test]
fn several_pods_share_a_volume_and_are_replaced_without_a_failed_request() -> Result<()> {
    let namespace = Namespace::create("e2e-shared")?;
    let _shared = Shared::create(&namespace)?;
    let spec = "{replicas: 2, storage: {filesystem: {existingClaimName: shared}}}";
    apply_object(namespace.name(), "team", spec)?;
    settled(namespace.name(), "team")?;
    let registry = Arc::new(Registry::ready(namespace.name(), "team")?);
    ensure!(registry.pods()?.len() == 2, "{:?}", registry.pods()?);
    registry.log_in("admin", &registry.password)?;
    // Each request of a push may reach another pod.
    for number in 0..5 {
        let image = registry.reference(&format!("hello:{number}"));
        run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;
        run(&mut registry.crane(&["validate", "--remote", &image]))?;
    }
    let (before, load) = (registry.pods()?, pushes(&registry)?);
    let both = r#"{"logging": {"format": "Text"}, "cache": {"redis": {"managed": {"maxMemory": "64Mi"}}}}"#;
    patch(namespace.name(), "team", both)?;
    settled(namespace.name(), "team")?;
    let made = load.finish()?;
    let after = registry.pods()?;
    ensure!(after.len() == 2 && after.iter().all(|pod| !before.contains(pod)), "{before:?} became {after:?}");
    let (redis, server) = (newest(namespace.name(), "redis")?, newest(namespace.name(), "registry")?);
    ensure!(redis <= server, "the registry's pod of {server} came before its Redis of {redis}");
    println!("{made} requests while both were replaced, none failed");
    Ok(())
}

// operator 18: old pods serve until the new ones are ready
#[test]
fn a_deployment_of_another_release_is_replaced_without_a_failed_request() -> Result<()> {
    let namespace = Namespace::create("e2e-selector")?;
    let _shared = Shared::create(&namespace)?;
    let spec = "{replicas: 2, storage: {filesystem: {existingClaimName: shared}}, cache: {none: {}}}";
    apply_object(namespace.name(), "team", spec)?;
    settled(namespace.name(), "team")?;
    of_another_release(namespace.name())?;
    let registry = Arc::new(Registry::ready(namespace.name(), "team")?);
    registry.log_in("admin", &registry.password)?;
    let load = pushes(&registry)?;
    pause(namespace.name(), Value::Null)?;
    eventually(Duration::from_secs(90), "a Deployment with the right selector", || {
        let deployment = get(namespace.name(), &["deployment", "team-registry"])?;
        let selector = &deployment["spec"]["selector"]["matchLabels"];
        Ok((selector["app"].is_null() && selector["app.kubernetes.io/component"] == "registry").then_some(()))
    })?;
    settled(namespace.name(), "team")?;
    let made = load.finish()?;
    // No pod of before is left, and nobody looks after a ReplicaSet that nobody owns.
    eventually(Duration::from_secs(60), "the old pods to go", || {
        let pods = get(namespace.name(), &["pods", "-l", "app=old"])?;
        Ok(pods["items"].as_array().is_some_and(Vec::is_empty).then_some(()))
    })?;
    let sets = get(namespace.name(), &["replicasets"])?;
    let orphans = sets["items"].as_array().into_iter().flatten().filter(|set| owner(set) != "team-registry");
    ensure!(orphans.count() == 0, "ReplicaSets without a Deployment: {sets}");
    println!("{made} requests while the Deployment was made anew, none failed");
    Ok(())
}

fn owner(object: &Value) -> &str {
    object["metadata"]["ownerReferences"][0]["name"].as_str().unwrap_or_default()
}
