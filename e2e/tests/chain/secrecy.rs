//! Nothing secret is said: not in a log, a status, an Event, an object that is no Secret, or a process' arguments.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{apply_object, patch, patch_any, settled, until},
    operator, pod,
    process::run,
    registry::{Registry, hello_layout},
    secrets::told,
};
use serde_json::json;

/// Secrets of the user's, each of which must show up nowhere.
const PASSWORD: &str = "canary-of-the-account";
const REDIS: &str = "canary-of-the-redis";
const WRONG: &str = "canary-that-is-wrong";
const UNREADABLE: &str = "canary-that-is-no-hash";

/// What in a Secret is no secret: certificates are published, and names are names.
const PUBLIC: [&str; 5] = ["ca.crt", "tls.crt", "next.crt", "previous.crt", "username"];

/// Every value of the namespace's Secrets that is one, by where it is; as it is, and line by line.
fn secrets(namespace: &str) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    let found = get(namespace, &["secrets"])?;
    for secret in found["items"].as_array().into_iter().flatten() {
        let name = secret["metadata"]["name"].as_str().unwrap_or_default();
        for (key, value) in secret["data"].as_object().into_iter().flatten() {
            let value = STANDARD.decode(value.as_str().unwrap_or_default())?;
            let text = String::from_utf8_lossy(&value).into_owned();
            let lines =
                text.lines().map(str::trim).filter(|line| line.len() > 8 && !line.starts_with(['#', '-']));
            // What a pull Secret holds is a document: its passwords are in it.
            for (number, word) in
                text.split('"').filter(|word| word.len() == 32 || word.len() > 50).enumerate()
            {
                if key == ".dockerconfigjson" {
                    all.insert(format!("{name}/{key} word {number}"), word.to_owned());
                }
            }
            for (number, line) in lines.enumerate().filter(|_| !PUBLIC.contains(&key.as_str())) {
                all.insert(format!("{name}/{key} line {number}"), line.to_owned());
            }
        }
    }
    for (name, canary) in
        [("wrong", WRONG), ("password", PASSWORD), ("redis", REDIS), ("unreadable", UNREADABLE)]
    {
        all.insert(name.into(), canary.into());
        all.insert(format!("{name}, encoded"), STANDARD.encode(canary));
    }
    Ok(all)
}

/// Everything that is said about the namespace, by where.
fn said(namespace: &str) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    let kinds = "preg,deployments,replicasets,pods,services,serviceaccounts,configmaps,persistentvolumeclaims,networkpolicies,events";
    all.insert(
        "objects".into(),
        run(&mut kubectl(&["-n", namespace, "get", kinds, "-o", "yaml", "--show-managed-fields"]))?,
    );
    all.insert("describe".into(), run(&mut kubectl(&["-n", namespace, "describe", "preg"]))?);
    let log = |namespace: &str, pod: &str| run(&mut kubectl(&["-n", namespace, "logs", pod, "--tail=-1"]));
    all.insert("the operator's log".into(), log(operator::NAMESPACE, &operator::pod()?)?);
    for component in ["registry", "redis"] {
        for name in pod::pods(namespace, "team", component)? {
            let process = format!("/proc/{}", pod::pid(namespace, &name)?);
            for file in ["cmdline", "environ"] {
                let text = fs::read(format!("{process}/{file}"))?;
                all.insert(format!("{file} of {name}"), String::from_utf8_lossy(&text).into_owned());
            }
            all.insert(format!("log of {name}"), log(namespace, &name)?);
            if component == "registry" {
                let path = format!("/api/v1/namespaces/{namespace}/pods/http:{name}:5001/proxy/metrics");
                all.insert(format!("metrics of {name}"), run(&mut kubectl(&["get", "--raw", &path]))?);
            }
        }
    }
    Ok(all)
}

// operator 121, registry RC12, seed D17: on the good way and on every bad one
#[test]
fn nothing_secret_is_said() -> Result<()> {
    let namespace = Namespace::create("e2e-secrecy")?;
    let own = |name: &str, data: serde_json::Value| {
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
        apply(namespace.name(), &secret.to_string())
    };
    own("dev", json!({"password": PASSWORD}))?;
    own("file", json!({"htpasswd": format!("ops:{UNREADABLE}\n")}))?;
    let spec = "{storage: {filesystem: {size: 1Gi}}, logging: {level: Debug}, auth: {htpasswd: {users: [{name: admin},
        {name: dev, passwordSecretRef: {name: dev}}], secretRef: {name: file}}}}";
    apply_object(namespace.name(), "team", spec)?;
    settled(namespace.name(), "team")?;
    let registry = Registry::ready(namespace.name(), "team")?;
    for (user, password, expected) in [
        ("dev", PASSWORD, "200"),
        ("dev", WRONG, "401"),
        ("nobody", WRONG, "401"),
        ("ops", UNREADABLE, "401"),
    ] {
        let status = registry.status_of("/v2/", user, password)?;
        ensure!(status == expected, "{user} got {status}");
    }
    registry.log_in("dev", PASSWORD)?;
    run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference("hello:1")]))?;
    nothing_of(&secrets(namespace.name())?, namespace.name())?;

    // A Redis that is not there, an account without a password, a certificate that is none; and keys that sign tokens.
    own("redis", json!({"username": "cache", "password": REDIS}))?;
    own("certificate", json!({"tls.crt": "canary-of-the-certificate", "tls.key": "canary-of-the-key"}))?;
    patch_any(
        namespace.name(),
        &["secret", "dev"],
        r#"{"stringData": {"other": "canary-under-another-key"}, "data": {"password": null}}"#,
    )?;
    let broken = r#"{"tls": {"secretRef": {"name": "certificate"}}, "auth": {"token": {"builtIn": {}}}, "cache": {"redis": {"external":
        {"addresses": ["192.0.2.1:6379"], "credentialsSecretRef": {"name": "redis"}}}}}"#;
    patch(namespace.name(), "team", broken)?;
    until(namespace.name(), "team", "CacheReady", "False/Unreachable")?;
    until(namespace.name(), "team", "CredentialsReady", "False/SecretNotFound")?;
    until(namespace.name(), "team", "Progressing", "False/RolledOut")?;
    nothing_of(&secrets(namespace.name())?, namespace.name())
}

// What every test's namespace is looked through by in the end does find something.
#[test]
fn an_object_that_tells_a_secret_is_found() -> Result<()> {
    let namespace = Namespace::create("e2e-teller")?;
    let labels = json!({"app.kubernetes.io/managed-by": "privateregistry-operator"});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "dev"}, "stringData": {"password": PASSWORD}});
    let teller = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "teller", "labels": labels},
        "data": {"said": format!("the password is {PASSWORD}")}});
    apply(namespace.name(), &secret.to_string())?;
    ensure!(told(namespace.name())?.is_empty());
    apply(namespace.name(), &teller.to_string())?;
    let found = told(namespace.name())?;
    ensure!(found == ["objects: dev/password"], "{found:?}");
    run(&mut kubectl(&["-n", namespace.name(), "delete", "configmap", "teller"])).map(drop)
}

fn nothing_of(secrets: &BTreeMap<String, String>, namespace: &str) -> Result<()> {
    ensure!(secrets.len() > 12, "few secrets: {:?}", secrets.keys());
    let said = said(namespace)?;
    ensure!(said.len() > 6, "little was read: {:?}", said.keys());
    for (place, text) in &said {
        for (name, secret) in secrets {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            ensure!(line.is_none(), "{name} is in {place}: {}", line.context("no line")?);
        }
    }
    Ok(())
}
