//! Tokens that the registry gives itself: clients send their password once in a while, and a token with each request.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl, wait},
    namespace::Namespace,
    object::{patch, settled},
    process::{eventually, must_fail, run},
    registry::{Registry, hello_layout},
};

use crate::{
    clients::six_line_registry,
    pods::{pod, trust},
};

/// How the registry asks for a login.
pub fn challenge(registry: &Registry) -> Result<String> {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-o", "/dev/null", "-D", "-", "--max-time", "10", "--cacert"]).arg(registry.ca_file());
    let head = run(curl.arg(format!("https://{}/v2/", registry.address)))?;
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("www-authenticate:"));
    Ok(line.context("no challenge")?.to_owned())
}

// registry A8: every client follows by itself, pods too
#[test]
fn clients_and_pods_get_tokens_from_the_registry() -> Result<()> {
    let namespace = Namespace::create("e2e-token-service")?;
    let registry = six_line_registry(namespace.name())?;
    patch(namespace.name(), "team", r#"{"auth": {"token": {"builtIn": {"lifetime": "1m"}}}}"#)?;
    settled(namespace.name(), "team")?;
    let (host, asked) = (format!("team-registry.{}.svc", namespace.name()), challenge(&registry)?);
    ensure!(asked.contains(&format!("Bearer realm=\"https://{}/token\"", registry.address)), "{asked}");

    registry.log_in("admin", &registry.password)?;
    let image = registry.reference("team/hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;
    run(&mut registry.crane(&["validate", "--remote", &image]))?;
    run(&mut registry.skopeo(&["inspect", &format!("docker://{image}")]))?;
    run(&mut registry.skopeo(&["list-tags", &format!("docker://{}", registry.reference("team/hello"))]))?;
    must_fail(&mut registry.skopeo(&["inspect", "--creds", "admin:wrong", &format!("docker://{image}")]))?;

    // Pods pull by containerd, with the pull account.
    let trusted = trust(&host, &registry)?;
    apply(namespace.name(), &pod(&format!("{host}/team/hello:1")))?;
    wait(namespace.name(), "pod/hello", "condition=Ready", 60)?;
    std::fs::remove_dir_all(trusted)?;

    // Without the section clients send passwords again, and the keys are gone.
    run(&mut kubectl(&["-n", namespace.name(), "delete", "pod", "hello", "--wait"]))?;
    patch(namespace.name(), "team", r#"{"auth": null}"#)?;
    settled(namespace.name(), "team")?;
    ensure!(challenge(&registry)?.contains("Basic"), "{}", challenge(&registry)?);
    eventually(Duration::from_secs(60), "the keys to go", || {
        let all = get(namespace.name(), &["secrets"])?.to_string();
        Ok((!all.contains("team-tokenkeys")).then_some(()))
    })
}
