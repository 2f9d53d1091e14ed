//! The audit log: who did what.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    kubectl::kubectl,
    namespace::Namespace,
    object::apply_object,
    process::{eventually, must_fail, run},
    registry::{Registry, hello_layout},
};
use serde_json::Value;

/// Lines of the pods' log that say what was decided.
fn told(namespace: &str) -> Result<Vec<Value>> {
    let log = run(&mut kubectl(&["-n", namespace, "logs", "deployment/team-registry", "--tail=-1"]))?;
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(lines.filter(|line| !line["decision"].is_null()).collect())
}

// registry OB8
#[test]
fn pushes_and_failed_logins_are_told_with_who_and_what() -> Result<()> {
    let namespace = Namespace::create("e2e-audit")?;
    let spec = "{storage: {ephemeral: {}}, cache: {none: {}}, logging: {audit: Enabled}}";
    apply_object(namespace.name(), "team", spec)?;
    let registry = Registry::ready(namespace.name(), "team")?;
    registry.log_in("admin", &registry.password)?;
    let image = registry.reference("team/hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;
    let wrong =
        ["inspect", "--creds", "admin:wrong-password", &format!("docker://{image}")].map(str::to_owned);
    must_fail(&mut registry.skopeo(&wrong.each_ref().map(String::as_str)))?;
    eventually(Duration::from_secs(20), "the lines", || {
        let lines = told(namespace.name())?;
        let tagged = lines.iter().find(|line| line["action"] == "push" && line["tags"][0] == "1");
        let Some(push) = tagged else { return Ok(None) };
        ensure!(push["user"] == "admin" && push["repository"] == "team/hello", "{push}");
        ensure!(push["decision"] == "allowed", "{push}");
        Ok(lines.iter().any(|line| line["user"] == "admin" && line["decision"] == "denied").then_some(()))
    })?;
    let log = run(&mut kubectl(&["-n", namespace.name(), "logs", "deployment/team-registry", "--tail=-1"]))?;
    ensure!(!log.contains("wrong-password") && !log.contains(&registry.password), "a password is in the log");
    Ok(())
}
