//! Who may do what, and tags that stay what they are: rules of the object, which running pods take over.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    namespace::Namespace,
    object::{patch, settled},
    process::{eventually, must_fail, run},
    registry::{hello_layout, secret},
};

use crate::clients::six_line_registry;

const RULES: &str = r#"{"auth": {
    "htpasswd": {"users": [{"name": "admin"}, {"name": "dev", "groups": ["devs"]}]},
    "access": [
        {"subjects": ["user:admin"], "repositories": ["**"], "actions": ["Pull", "Push", "Delete", "List"]},
        {"subjects": ["group:devs"], "repositories": ["team/**"], "actions": ["Pull", "List"]},
        {"subjects": ["group:devs"], "repositories": ["team/sealed"], "actions": ["Pull"], "effect": "Deny"},
        {"subjects": ["anonymous"], "repositories": ["public/**"], "actions": ["Pull"]}]},
    "immutableTags": [{"repositories": ["team/**"], "tags": ["v*"]}]}"#;

// registry AU11 AU12 D30
#[test]
fn rules_reach_running_pods_and_decide() -> Result<()> {
    let namespace = Namespace::create("e2e-access")?;
    let registry = six_line_registry(namespace.name())?;
    let pods = registry.pods()?;
    for name in ["public/hello:1", "team/hello:v1", "team/sealed:1"] {
        run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference(name)]))?;
    }
    patch(namespace.name(), "team", RULES)?;
    settled(namespace.name(), "team")?;
    let manifest = |name: &str| format!("/v2/{name}/manifests/1");
    let dev = eventually(Duration::from_secs(90), "the new account", || {
        Ok(secret(namespace.name(), "team.dev", "password").ok())
    })?;
    // Secrets and settings come to the pods in any order.
    eventually(Duration::from_secs(120), "the rules in the pods", || {
        let (open, known) = (
            registry.status_of(&manifest("public/hello"), "", "")?,
            registry.status_of("/v2/", "dev", &dev)?,
        );
        ensure!((open.as_str(), known.as_str()) == ("200", "200"), "{open} and {known}");
        Ok(Some(()))
    })?;
    for (name, user, password, expected) in [
        ("team/sealed", "", "", "401"),
        ("team/sealed", "dev", dev.as_str(), "403"),
        ("public/hello", "dev", &dev, "403"),
        ("team/sealed", "admin", &registry.password, "200"),
    ] {
        let status = registry.status_of(&manifest(name), user, password)?;
        ensure!(status == expected, "{user:?} in {name}: {status} and not {expected}");
    }
    ensure!(registry.status_of("/v2/team/hello/tags/list", "dev", &dev)? == "200", "dev cannot list");
    ensure!(registry.status_of("/v2/_catalog", "", "")? == "401", "nobody may list");

    let released = registry.reference("team/hello:v1");
    run(&mut registry.crane(&["push", &hello_layout()?, &released]))?;
    let other = registry.reference("team/hello:next");
    run(&mut registry.crane(&["mutate", &released, "--label", "other=yes", "--tag", &other]))?;
    must_fail(&mut registry.crane(&["copy", &other, &released]))?;
    must_fail(&mut registry.crane(&["delete", &released]))?;
    run(&mut registry.crane(&["validate", "--remote", &released]))?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}
