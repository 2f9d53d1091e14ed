//! A job of a CI system runs in the cluster and has nothing but the token that the kubelet gives it: it pushes and pulls by crane,
//! and pulls by a plain HTTP client what it has pushed. Without that token, or with one for others, it is refused.

use std::{env, fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl, wait},
    namespace::Namespace,
    object::{patch, settled},
    process::{eventually, run},
    registry::{Registry, hello_layout},
};
use serde_json::{Value, json};

use crate::{
    clients::six_line_registry,
    pods::trust,
    tokens::{AUDIENCE, rules, token},
};

/// What the job pushes.
const REPOSITORY: &str = "ci/app";
const TAG: &str = "job";
/// Image of the job itself, which the node pulls.
const TOOLS: &str = "tools/job:1";
/// A file without a token.
const NOTHING: &str = "/dev/null";

/// `crane` of this machine: one static program.
fn crane() -> Result<PathBuf> {
    let folders = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&folders).map(|folder| folder.join("crane")).find(|file| file.is_file());
    found.context("there is no crane in PATH")
}

/// Pushes the job's image: the application, `/crane`, and the application's image as `/layout`.
fn push_tools(registry: &Registry) -> Result<()> {
    let (home, layout) = (tempfile::tempdir()?, hello_layout()?);
    let (layer, crane) = (home.path().join("tools.tar"), crane()?);
    let mut tar = Command::new("tar");
    tar.args(["--owner=0", "--group=0", "--mode=a+rX", "--dereference", "--transform", r"s,^\./,layout/,"]);
    tar.arg("-cf").arg(&layer).arg("-C").arg(crane.parent().context("no folder")?).arg("crane");
    run(tar.args(["-C", &layout, "./oci-layout", "./index.json", "./blobs"]))?;
    let (base, image) = (registry.reference("tools/base:1"), registry.reference(TOOLS));
    run(&mut registry.crane(&["push", &layout, &base]))?;
    let layer = layer.to_string_lossy();
    run(&mut registry.crane(&["append", "-b", &base, "-f", &layer, "-t", &image])).map(drop)
}

/// A container of the job; `home` is where its crane finds a login, if it finds one.
fn container(host: &str, name: &str, home: &str, command: &[&str]) -> Value {
    json!({"name": name, "image": format!("{host}/{TOOLS}"), "imagePullPolicy": "Always", "command": command,
        "env": [{"name": "DOCKER_CONFIG", "value": home}, {"name": "SSL_CERT_FILE", "value": "/trust/ca.crt"}],
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "token", "mountPath": "/token"}, {"name": "trust", "mountPath": "/trust"},
            {"name": "home", "mountPath": "/home"}]})
}

/// The job: what it may do one after the other, and then what it may not.
fn job(registry: &Registry, host: &str) -> Value {
    let (address, image) = (registry.address.as_str(), registry.reference(&format!("{REPOSITORY}:{TAG}")));
    let by_http = |token| ["/hello", "pull", address, REPOSITORY, TAG, token, "/trust/ca.crt"];
    let of = |name, home, command: &[&str]| container(host, name, home, command);
    let steps = [
        of("login", "/home/ours", &["/hello", "login", address, "/token/ours", "/home/ours"]),
        of("push", "/home/ours", &["/crane", "push", "/layout", &image]),
        of("pull", "/home/ours", &["/crane", "pull", "--format=oci", &image, "/home/pulled"]),
        of("validate", "/home/ours", &["/crane", "validate", "--remote", &image]),
        of("http", "/home/none", &by_http("/token/ours")),
        of("stranger", "/home/other", &["/hello", "login", address, "/token/other", "/home/other"]),
    ];
    let refused = [
        of("crane-without", "/home/none", &["/crane", "manifest", &image]),
        of("crane-with-other", "/home/other", &["/crane", "manifest", &image]),
        of("push-without", "/home/none", &["/crane", "push", "/layout", &image]),
        of("http-without", "/home/none", &by_http(NOTHING)),
        of("http-with-other", "/home/none", &by_http("/token/other")),
    ];
    let token = |path: &str, audience: &str| json!({"serviceAccountToken": {"path": path, "audience": audience, "expirationSeconds": 600}});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "job"}, "spec": {
        "serviceAccountName": "pusher", "automountServiceAccountToken": false, "restartPolicy": "Never",
        "imagePullSecrets": [{"name": "team-pull"}],
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": steps, "containers": refused,
        "volumes": [{"name": "token", "projected": {"sources": [token("ours", AUDIENCE), token("other", "elsewhere")]}},
            {"name": "trust", "configMap": {"name": "team-trust"}}, {"name": "home", "emptyDir": {}}]}})
}

/// What a container of the job said.
fn log(namespace: &str, container: &str) -> Result<String> {
    run(&mut kubectl(&["-n", namespace, "logs", "job", "-c", container]))
}

/// Name and exit code of each container of a list of the pod's status.
fn ended(pod: &Value, list: &str) -> Vec<(String, Option<i64>)> {
    let all = pod["status"][list].as_array().into_iter().flatten();
    let code = |one: &Value| one["state"]["terminated"]["exitCode"].as_i64();
    all.map(|one| (one["name"].as_str().unwrap_or_default().to_owned(), code(one))).collect()
}

// registry AU10: crane and a plain client, with the token, without it, and with one for others
#[test]
fn a_job_pushes_and_pulls_with_nothing_but_the_token_of_its_pod() -> Result<()> {
    let namespace = Namespace::create("e2e-job")?;
    let registry = six_line_registry(namespace.name())?;
    push_tools(&registry)?;
    run(&mut kubectl(&["-n", namespace.name(), "create", "serviceaccount", "pusher"]))?;
    patch(namespace.name(), "team", &rules(namespace.name()))?;
    settled(namespace.name(), "team")?;
    let good = token(namespace.name(), "pusher", AUDIENCE)?;
    // The kubelet takes a while to hand the settings over. What is not there yet is not forbidden.
    let nothing_yet = format!("/v2/{REPOSITORY}/manifests/{TAG}");
    eventually(Duration::from_secs(120), "the registry to take tokens", || {
        Ok((registry.status_of(&nothing_yet, "token", &good)? == "404").then_some(()))
    })?;

    let host = format!("team-registry.{}.svc", namespace.name());
    let trusted = trust(&host, &registry)?;
    apply(namespace.name(), &job(&registry, &host).to_string())?;
    // Its last containers are all to fail.
    let over = wait(namespace.name(), "pod/job", "jsonpath={.status.phase}=Failed", 120);
    fs::remove_dir_all(trusted)?;
    over?;
    let pod = get(namespace.name(), &["pod", "job"])?;
    let steps = ended(&pod, "initContainerStatuses");
    if let Some((name, code)) = steps.iter().find(|(_, code)| *code != Some(0)) {
        anyhow::bail!("{name} ended with {code:?}: {}", log(namespace.name(), name)?);
    }
    let refused = ended(&pod, "containerStatuses");
    ensure!(steps.len() == 6 && refused.len() == 5, "{steps:?} {refused:?}");
    for (name, code) in refused {
        let said = log(namespace.name(), &name)?;
        ensure!(code.is_some_and(|code| code != 0), "{name} was let in: {said}");
        ensure!(
            said.to_ascii_uppercase().contains("UNAUTHORIZED"),
            "{name} failed for another reason: {said}"
        );
    }
    let digest = |name: &str| run(&mut registry.crane(&["digest", &registry.reference(name)]));
    ensure!(digest(&format!("{REPOSITORY}:{TAG}"))? == digest("tools/base:1")?, "it pushed another image");
    Ok(())
}
