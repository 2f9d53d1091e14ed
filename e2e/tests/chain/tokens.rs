//! Tokens of service accounts: a pod pulls, and a job pushes, without a stored password.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl, wait},
    namespace::Namespace,
    object::{patch, settled, until},
    process::{eventually, must_fail, run, run_with_input},
    registry::{Registry, hello_layout},
};
use serde_json::json;

use crate::clients::six_line_registry;

/// What tokens are made for.
pub const AUDIENCE: &str = "registry.example.com";

/// Service account `puller` may pull from `team`, `pusher` may push into `ci`, and nobody else may do anything by a token. Nodes
/// may pull what jobs run.
pub fn rules(namespace: &str) -> String {
    json!({"auth": {"serviceAccounts": {"audiences": [AUDIENCE]}, "access": [
        {"subjects": ["user:admin"], "repositories": ["**"], "actions": ["Pull", "Push", "Delete", "List"]},
        {"subjects": ["user:preg-pull"], "repositories": ["tools/**"], "actions": ["Pull"]},
        {"subjects": [format!("serviceaccount:{namespace}/puller")], "repositories": ["team/**"], "actions": ["Pull"]},
        {"subjects": [format!("serviceaccount:{namespace}/pusher")], "repositories": ["ci/**"], "actions": ["Pull", "Push"]}]}})
    .to_string()
}

/// A token of a service account, as a pod gets it.
pub fn token(namespace: &str, account: &str, audience: &str) -> Result<String> {
    let token = ["-n", namespace, "create", "token", account, "--audience", audience, "--duration", "10m"];
    Ok(run(&mut kubectl(&token))?.trim().to_owned())
}

/// A pod that pulls `image` with nothing but the token that the kubelet gives it.
fn pod(registry: &Registry, image: &str) -> String {
    let (repository, tag) = image.split_once(':').unwrap_or((image, "latest"));
    let projected =
        json!({"serviceAccountToken": {"path": "token", "audience": AUDIENCE, "expirationSeconds": 600}});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "puller"}, "spec": {
        "serviceAccountName": "puller", "automountServiceAccountToken": false, "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "pull", "image": "localhost/hello:dev", "imagePullPolicy": "Never",
            "args": ["pull", registry.address, repository, tag, "/token/token", "/trust/ca.crt"],
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "token", "mountPath": "/token"}, {"name": "trust", "mountPath": "/trust"}]}],
        "volumes": [{"name": "token", "projected": {"sources": [projected]}},
            {"name": "trust", "configMap": {"name": "team-trust"}}]}})
    .to_string()
}

/// A job of a CI system: crane logs in with nothing but a token, and pushes and pulls as far as the rules let it.
fn a_job_pushes(namespace: &str, registry: &Registry) -> Result<()> {
    let (home, layout) = (tempfile::tempdir()?, hello_layout()?);
    let crane = |args: &[&str]| {
        let mut command = registry.crane(args);
        command.env("DOCKER_CONFIG", home.path());
        command
    };
    let login = |account, audience| {
        let login = ["auth", "login", "-u", "token", "--password-stdin", &registry.address];
        run_with_input(&mut crane(&login), &token(namespace, account, audience)?)
    };
    let refused = |args: &[&str], said: &str| {
        let message = must_fail(&mut crane(args))?;
        ensure!(message.contains(said), "{args:?}: not {said}: {message}");
        Ok(())
    };
    let [image, elsewhere] = ["ci/app:1", "team/app:1"].map(|name| registry.reference(name));
    login("pusher", "elsewhere")?;
    refused(&["push", &layout, &image], "401 Unauthorized")?;
    login("puller", AUDIENCE)?;
    run(&mut crane(&["validate", "--remote", &registry.reference("team/hello:1")]))?;
    refused(&["push", &layout, &image], "403 Forbidden")?;
    login("pusher", AUDIENCE)?;
    run(&mut crane(&["push", &layout, &image]))?;
    run(&mut crane(&["validate", "--remote", &image]))?;
    refused(&["push", &layout, &elsewhere], "403 Forbidden")?;
    refused(&["delete", &image], "DENIED")
}

// registry AU10: pulls by its rules, and no other audience, account or repository
#[test]
fn a_pod_pulls_with_nothing_but_its_service_accounts_token() -> Result<()> {
    let namespace = Namespace::create("e2e-tokens")?;
    let registry = six_line_registry(namespace.name())?;
    let pods = registry.pods()?;
    for name in ["team/hello:1", "other/hello:1"] {
        run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference(name)]))?;
    }
    for account in ["puller", "pusher", "other"] {
        run(&mut kubectl(&["-n", namespace.name(), "create", "serviceaccount", account]))?;
    }
    patch(namespace.name(), "team", &rules(namespace.name()))?;
    settled(namespace.name(), "team")?;
    let (good, manifest) = (token(namespace.name(), "puller", AUDIENCE)?, "/v2/team/hello/manifests/1");
    // The kubelet takes a while to hand the settings over.
    eventually(Duration::from_secs(120), "the registry to take tokens", || {
        Ok((registry.status_of(manifest, "token", &good)? == "200").then_some(()))
    })?;
    for (what, password, path, expected) in [
        ("another audience", token(namespace.name(), "puller", "elsewhere")?, manifest, "401"),
        ("another account", token(namespace.name(), "other", AUDIENCE)?, manifest, "403"),
        ("another repository", good.clone(), "/v2/other/hello/manifests/1", "403"),
        ("a broken token", format!("{good}x"), manifest, "401"),
    ] {
        let status = registry.status_of(path, "token", &password)?;
        ensure!(status == expected, "{what}: {status} and not {expected}");
    }
    ensure!(
        registry.status_of_post("/v2/team/hello/blobs/uploads/", "token", &good)? == "403",
        "it may push"
    );
    a_job_pushes(namespace.name(), &registry)?;

    apply(namespace.name(), &pod(&registry, "team/hello:1"))?;
    if let Err(error) = wait(namespace.name(), "pod/puller", "jsonpath={.status.phase}=Succeeded", 60) {
        let log = run(&mut kubectl(&["-n", namespace.name(), "logs", "puller"]))?;
        return Err(error.context(log));
    }
    ensure!(pods == registry.pods()?, "pods were replaced");
    let live = get(namespace.name(), &["configmap", "team-live"])?;
    ensure!(live["data"]["serviceaccounts.jwks"].as_str().is_some_and(|keys| keys.contains("kid")), "{live}");
    until(namespace.name(), "team", "CredentialsReady", "True/AccountsReady").map(drop)
}
