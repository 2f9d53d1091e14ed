//! A pod starts from an image that the registry serves: pulled by containerd, with the pull Secret and
//! the CA, in another namespace, under the restricted Pod Security standard.

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl, wait},
    namespace::Namespace,
    object::{apply_object, settled},
    operator,
    process::run,
    registry::{Registry, hello_layout},
};
use serde_json::json;

use crate::clients::six_line_registry;

/// Tells the node's containerd how to reach and trust `host`, as the how-to page says.
pub fn trust(host: &str, registry: &Registry) -> Result<PathBuf> {
    let folder = PathBuf::from(env::var("CERTS_D").context("CERTS_D is not set")?).join(host);
    fs::create_dir_all(&folder)?;
    let ca = folder.join("ca.crt");
    fs::copy(registry.ca_file(), &ca)?;
    let server = format!("https://{}", registry.address);
    let hosts = format!(
        "server = {server:?}\n\n[host.{server:?}]\n  capabilities = [\"pull\", \"resolve\"]\n  ca = {ca:?}\n"
    );
    fs::write(folder.join("hosts.toml"), hosts)?;
    Ok(folder)
}

/// A pod under the restricted standard that runs `image`.
pub fn pod(image: &str) -> String {
    format!(
        r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "hello"}}, "spec": {{
  "imagePullSecrets": [{{"name": "team-pull"}}], "automountServiceAccountToken": false,
  "securityContext": {{"runAsNonRoot": true, "seccompProfile": {{"type": "RuntimeDefault"}}}},
  "containers": [{{"name": "hello", "image": "{image}", "imagePullPolicy": "Always", "ports": [{{"containerPort": 8080}}],
    "readinessProbe": {{"httpGet": {{"path": "/", "port": 8080}}, "periodSeconds": 1}},
    "securityContext": {{"allowPrivilegeEscalation": false, "capabilities": {{"drop": ["ALL"]}}}}}}]}}}}"#
    )
}

#[test]
fn a_pod_in_another_namespace_starts_from_an_image_of_the_registry() -> Result<()> {
    let (tools, apps) = (Namespace::create("e2e-tools")?, Namespace::create("e2e-apps")?);
    let registry = six_line_registry(tools.name())?;
    run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference("hello:1")]))?;
    let host = format!("team-registry.{}.svc", tools.name());
    let trusted = trust(&host, &registry)?;

    let mut secret = get(tools.name(), &["secret", "team-pull"])?;
    secret["metadata"] = serde_json::json!({"name": "team-pull"});
    apply(apps.name(), &secret.to_string())?;
    apply(apps.name(), &pod(&format!("{host}/hello:1")))?;
    wait(apps.name(), "pod/hello", "condition=Ready", 60)?;

    let running = get(apps.name(), &["pod", "hello"])?;
    let id = running["status"]["containerStatuses"][0]["imageID"].as_str().unwrap_or_default();
    let digest = run(&mut registry.crane(&["digest", &registry.reference("hello:1")]))?;
    ensure!(id.ends_with(digest.trim()), "the pod runs {id}, the registry has {digest}");
    run(&mut kubectl(&["-n", apps.name(), "delete", "pod", "hello", "--wait"]))?;
    fs::remove_dir_all(trusted).map_err(Into::into)
}

// operator 76: clusters that give each namespace a range of UIDs run our pods under any of them
#[test]
fn every_pod_of_ours_runs_as_any_user() -> Result<()> {
    let namespace = Namespace::create("e2e-uid")?;
    apply_object(namespace.name(), "team", "{storage: {ephemeral: {}}}")?;
    settled(namespace.name(), "team")?;
    for (place, labels) in [
        (namespace.name(), "app.kubernetes.io/component=registry"),
        (namespace.name(), "app.kubernetes.io/component=redis"),
        (operator::NAMESPACE, "app.kubernetes.io/name=private-registry-operator"),
    ] {
        let pods = get(place, &["pods", "-l", labels, "--field-selector=status.phase=Running"])?;
        let pod = &pods["items"][0];
        ensure!(pod["spec"].is_object(), "no pod {labels}");
        let name = format!(
            "any-user-{}",
            pod["metadata"]["labels"]["app.kubernetes.io/component"].as_str().unwrap_or("operator")
        );
        let mut spec = pod["spec"].clone();
        for key in ["nodeName", "serviceAccount"] {
            spec.as_object_mut().map(|spec| spec.remove(key));
        }
        spec["securityContext"]["runAsUser"] = 1_000_650_000.into();
        spec["securityContext"]["fsGroup"] = 1_000_650_000.into();
        // Without the labels nobody counts it as one of theirs.
        let copy = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec});
        apply(place, &copy.to_string())?;
        let ready = wait(place, &format!("pod/{name}"), "condition=Ready", 60);
        run(&mut kubectl(&["-n", place, "delete", "pod", &name, "--wait=false"]))?;
        ready?;
    }
    Ok(())
}
