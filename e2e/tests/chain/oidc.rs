//! Tokens of an issuer that the object names. The cluster itself plays it: what it gives to service accounts is as good as
//! what a CI system gives to its jobs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{apply, kubectl},
    namespace::Namespace,
    object::{patch, settled, until},
    process::{eventually, run},
    registry::hello_layout,
};
use serde_json::{Value, json};

use crate::clients::six_line_registry;

const AUDIENCE: &str = "registry.example.com";
const MANIFEST: &str = "/v2/team/hello/manifests/1";

fn read(path: &str) -> Result<Value> {
    serde_json::from_str(&run(&mut kubectl(&["get", "--raw", path]))?).context("no JSON")
}

/// A ConfigMap with the issuer's public keys.
fn put_keys(namespace: &str, keys: &Value) -> Result<()> {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "builder-keys"},
        "data": {"jwks.json": keys.to_string()}});
    apply(namespace, &map.to_string()).map(drop)
}

/// Users of `issuer` whose name is that of a service account of the namespace may pull.
fn rules(namespace: &str, issuer: &str) -> String {
    json!({"auth": {
        "oidc": [{"name": "builder", "issuer": issuer, "audiences": [AUDIENCE], "jwksRef": {"name": "builder-keys"}}],
        "access": [
            {"subjects": ["user:admin"], "repositories": ["**"], "actions": ["Pull", "Push"]},
            {"subjects": [format!("oidc:builder:system:serviceaccount:{namespace}:job-*")],
                "repositories": ["team/**"], "actions": ["Pull"]}]}})
    .to_string()
}

// registry AU9: a job logs in with nothing but its issuer's token, and keys that are none change nothing
#[test]
fn tokens_of_an_issuer_that_the_object_names_count_as_a_login() -> Result<()> {
    let namespace = Namespace::create("e2e-oidc")?;
    let registry = six_line_registry(namespace.name())?;
    run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference("team/hello:1")]))?;
    let pods = registry.pods()?;
    let discovery = read("/.well-known/openid-configuration")?;
    let issuer = discovery["issuer"].as_str().context("no issuer")?;
    patch(namespace.name(), "team", &rules(namespace.name(), issuer))?;
    let said = until(namespace.name(), "team", "CredentialsReady", "False/IssuerUnavailable")?;
    ensure!(said.contains("jwks.json") && said.contains("builder-keys"), "{said}");
    let keys = read("/openid/v1/jwks")?;
    put_keys(namespace.name(), &keys)?;
    settled(namespace.name(), "team")?;

    let token = |account: &str| {
        run(&mut kubectl(&["-n", namespace.name(), "create", "serviceaccount", account]))?;
        let token = ["-n", namespace.name(), "create", "token", account, "--audience", AUDIENCE];
        Ok::<_, anyhow::Error>(run(&mut kubectl(&token))?.trim().to_owned())
    };
    let (job, other) = (token("job-1")?, token("other")?);
    eventually(Duration::from_secs(120), "the registry to take tokens", || {
        Ok((registry.status_of(MANIFEST, "ci", &job)? == "200").then_some(()))
    })?;
    ensure!(registry.status_of(MANIFEST, "ci", &other)? == "403", "another user of the issuer");
    put_keys(namespace.name(), &json!({"keys": "none"}))?;
    until(namespace.name(), "team", "CredentialsReady", "False/IssuerUnavailable")?;
    ensure!(registry.status_of(MANIFEST, "ci", &job)? == "200", "the last good keys are gone");
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}
