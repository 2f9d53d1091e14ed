//! Accounts come, change and go without a restart; what cannot be used is named.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, kubectl},
    namespace::Namespace,
    object::{apply_object, condition, patch, patch_any, settled, until},
    process::{eventually, run, run_with_input},
    registry::{Registry, secret},
};

/// Promised by the API: accounts are taken over by running pods.
const PROMISE: Duration = Duration::from_secs(90);

fn can(registry: &Registry, user: &str, password: &str, wanted: bool) -> Result<()> {
    let code = if wanted { "200" } else { "401" };
    eventually(PROMISE, &format!("{user}: {code}"), || {
        let got = registry.status_of("/v2/", user, password)?;
        ensure!(got == code, "{user} got {got}");
        Ok(Some(()))
    })
}

fn make_secret(namespace: &str, name: &str, key: &str, value: &str) -> Result<()> {
    let object = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
        "stringData": {key: value}});
    apply(namespace, &object.to_string()).map(drop)
}

/// A line of a password file, as Apache's own tool writes it.
fn line(kind: &str, user: &str, password: &str) -> Result<String> {
    run_with_input(std::process::Command::new("htpasswd").args(["-n", "-i", kind, user]), password)
}

// operator 9, operator 45, operator 94
#[test]
fn users_come_change_and_go_without_a_restart() -> Result<()> {
    let namespace = Namespace::create("e2e-users")?;
    apply_object(namespace.name(), "team", "{storage: {ephemeral: {}}}")?;
    let registry = Registry::ready(namespace.name(), "team")?;
    let pods = registry.pods()?;

    make_secret(namespace.name(), "dev-password", "password", "dev-one\n")?;
    let users = r#"{"auth": {"htpasswd": {"users": [{"name": "admin"}, {"name": "ci"},
        {"name": "dev", "passwordSecretRef": {"name": "dev-password"}}]}}}"#;
    patch(namespace.name(), "team", users)?;
    can(&registry, "dev", "dev-one", true)?;
    can(&registry, "ci", &secret(namespace.name(), "team.ci", "password")?, true)?;
    can(&registry, "admin", &registry.password, true)?;

    make_secret(namespace.name(), "dev-password", "password", "dev-two")?;
    can(&registry, "dev", "dev-two", true)?;
    can(&registry, "dev", "dev-one", false)?;

    let users = r#"{"auth": {"htpasswd": {"users": [{"name": "admin"}]}}}"#;
    patch(namespace.name(), "team", users)?;
    can(&registry, "dev", "dev-two", false)?;
    eventually(PROMISE, "the Secret of a removed account to go", || {
        Ok(secret(namespace.name(), "team.ci", "password").is_err().then_some(()))
    })?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}

// operator 94, operator 95, operator 96; seed D13
#[test]
fn a_password_file_of_ones_own_is_merged_and_judged() -> Result<()> {
    let namespace = Namespace::create("e2e-htpasswd")?;
    apply_object(namespace.name(), "team", "{storage: {ephemeral: {}}}")?;
    let registry = Registry::ready(namespace.name(), "team")?;
    let pods = registry.pods()?;

    let file = r#"{"auth": {"htpasswd": {"users": [{"name": "admin"}], "secretRef": {"name": "accounts"}}}}"#;
    patch(namespace.name(), "team", file)?;
    let said = until(namespace.name(), "team", "CredentialsReady", "False/SecretNotFound")?;
    ensure!(said.contains("accounts"), "{said}");
    can(&registry, "admin", &registry.password, true)?;

    let (strong, weak) = (line("-B", "ann", "strong-one")?, line("-m", "bob", "weak-one")?);
    let content = format!("{strong}{weak}eve:plain\n");
    make_secret(namespace.name(), "accounts", "htpasswd", &content)?;
    can(&registry, "ann", "strong-one", true)?;
    can(&registry, "bob", "weak-one", true)?;
    can(&registry, "eve", "plain", false)?;
    until(namespace.name(), "team", "CredentialsReady", "True/AccountsReady")?;
    let said = until(namespace.name(), "team", "Degraded", "True/WeakPasswordHashes")?;
    ensure!(said.contains("line ") && !said.contains("bob"), "{said}");

    make_secret(namespace.name(), "accounts", "htpasswd", "<html>not a password file</html>")?;
    let said = until(namespace.name(), "team", "CredentialsReady", "False/HtpasswdUnreadable")?;
    ensure!(said.contains("line 1"), "{said}");
    can(&registry, "ann", "strong-one", true)?;

    make_secret(namespace.name(), "accounts", "htpasswd", &content.replace("bob", "preg-pull"))?;
    until(namespace.name(), "team", "CredentialsReady", "False/InvalidUser")?;

    make_secret(namespace.name(), "accounts", "htpasswd", &content)?;
    patch(namespace.name(), "team", r#"{"auth": {"htpasswd": {"minimumHash": "Bcrypt"}}}"#)?;
    can(&registry, "bob", "weak-one", false)?;
    can(&registry, "ann", "strong-one", true)?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}

// operator 13, guarantee 5: a Secret that goes away takes nothing with it
#[test]
fn a_missing_password_is_named_and_the_rest_goes_on() -> Result<()> {
    let namespace = Namespace::create("e2e-missing")?;
    let users = "{htpasswd: {users: [{name: admin}, {name: dev, passwordSecretRef: {name: absent}}]}}";
    apply_object(namespace.name(), "team", &format!("{{storage: {{ephemeral: {{}}}}, auth: {users}}}"))?;
    let said = until(namespace.name(), "team", "CredentialsReady", "False/SecretNotFound")?;
    ensure!(said.contains("absent") && said.contains("password"), "{said}");
    ensure!(
        condition(namespace.name(), "team", "Ready")?.0 == "False/SecretNotFound",
        "Ready does not say so"
    );
    make_secret(namespace.name(), "absent", "password", "found")?;
    settled(namespace.name(), "team")?;
    let registry = Registry::ready(namespace.name(), "team")?;
    can(&registry, "dev", "found", true)?;
    run(&mut kubectl(&["-n", namespace.name(), "delete", "secret", "absent"]))?;
    until(namespace.name(), "team", "CredentialsReady", "False/SecretNotFound")?;
    can(&registry, "dev", "found", true)?;
    // The generated password stays whatever becomes of the Secret's other keys.
    patch_any(namespace.name(), &["secret", "team.admin"], r#"{"data": {"password": null}}"#)?;
    until(namespace.name(), "team", "CredentialsReady", "False/SecretNotFound")?;
    can(&registry, "admin", &registry.password, true)
}
