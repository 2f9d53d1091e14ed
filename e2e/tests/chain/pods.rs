//! A pod starts from an image that the registry serves: pulled by containerd, with the pull Secret and
//! the CA, in another namespace, under the restricted Pod Security standard.

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl, wait},
    namespace::Namespace,
    process::run,
    registry::Registry,
};

use crate::clients::{hello_layout, six_line_registry};

/// Tells the node's containerd how to reach and trust `host`, as the how-to page says.
fn trust(host: &str, registry: &Registry) -> Result<PathBuf> {
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
fn pod(image: &str) -> String {
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
