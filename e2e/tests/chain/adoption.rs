//! A store of Debian's docker-registry is taken over in place, and given back.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use anyhow::{Result, ensure};
use e2e::{
    kubectl::kubectl,
    namespace::Namespace,
    object::{apply_object, patch, settled},
    process::run,
    registry::{Registry, hello_layout},
    server::{Server, ours},
};

use crate::{ports, shared::Shared};

/// A registry on loopback over a folder.
fn start(command: Command, folder: &Path, config: &str) -> Result<Server> {
    Server::start(command, folder, config, format!("127.0.0.1:{}", ports::free()))
}

/// Runs crane as the account of the file; `REGISTRY` in its arguments stands for the address.
fn crane(server: &Server, args: &[&str]) -> Result<String> {
    let home = tempfile::tempdir()?;
    // "ann:secret"
    let logins = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"YW5uOnNlY3JldA==\"}}}}}}", server.address);
    fs::write(home.path().join("config.json"), logins)?;
    let args = args.iter().map(|arg| arg.replace("REGISTRY", &server.address));
    run(Command::new("crane").args(args).env("DOCKER_CONFIG", home.path()))
}

/// One configuration file for both: the one that Debian's package brings, at another place.
fn config(folder: &Path) -> Result<String> {
    let theirs = fs::read_to_string("/etc/docker/registry/config.yml")?;
    let accounts = folder.join("htpasswd");
    let line = run(Command::new("htpasswd").args(["-Bbn", "ann", "secret"]))?;
    fs::write(&accounts, line)?;
    let mut ours = theirs.clone();
    for (place, other) in [
        ("/var/lib/docker-registry", "DATA"),
        ("addr: :5000", "addr: ADDRESS"),
        ("path: /etc/docker/registry", &format!("path: {}", accounts.display())),
    ] {
        ensure!(ours.contains(place), "no {place} in {theirs}");
        ours = ours.replace(place, other);
    }
    Ok(ours)
}

// registry ST10
#[test]
fn a_store_of_docker_registry_is_taken_over_and_given_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = config(folder.path())?;
    let theirs = start(Command::new("docker-registry"), folder.path(), &config)?;
    crane(&theirs, &["push", &hello_layout()?, "REGISTRY/old/hello:1"])?;
    let digest = crane(&theirs, &["digest", "REGISTRY/old/hello:1"])?;
    drop(theirs);

    let server = start(ours()?, folder.path(), &config)?;
    crane(&server, &["validate", "--remote", "REGISTRY/old/hello:1"])?;
    ensure!(digest == crane(&server, &["digest", "REGISTRY/old/hello:1"])?, "another digest at ours");
    crane(&server, &["copy", "REGISTRY/old/hello:1", "REGISTRY/new/hello:2"])?;
    crane(&server, &["tag", "REGISTRY/old/hello:1", "again"])?;
    drop(server);

    let theirs = start(Command::new("docker-registry"), folder.path(), &config)?;
    for image in ["old/hello:1", "old/hello:again", "new/hello:2"] {
        crane(&theirs, &["validate", "--remote", &format!("REGISTRY/{image}")])?;
    }
    Ok(())
}

// operator 32, registry ST10: the same on the cluster, where the store is a claim that somebody else has filled
#[test]
fn a_claim_of_docker_registry_is_taken_over_and_given_back() -> Result<()> {
    let namespace = Namespace::create("e2e-adoption")?;
    let shared = Shared::create(&namespace)?;
    let folder = tempfile::tempdir()?;
    symlink(shared.folder()?, folder.path().join("data"))?;
    let config = config(folder.path())?;
    let theirs = start(Command::new("docker-registry"), folder.path(), &config)?;
    crane(&theirs, &["push", &hello_layout()?, "REGISTRY/old/hello:1"])?;
    let digest = crane(&theirs, &["digest", "REGISTRY/old/hello:1"])?;
    drop(theirs);

    let spec = "{storage: {filesystem: {existingClaimName: shared}}, cache: {none: {}}}";
    apply_object(namespace.name(), "team", spec)?;
    settled(namespace.name(), "team")?;
    let registry = Registry::ready(namespace.name(), "team")?;
    registry.log_in("admin", &registry.password)?;
    let old = registry.reference("old/hello:1");
    run(&mut registry.crane(&["validate", "--remote", &old]))?;
    ensure!(digest == run(&mut registry.crane(&["digest", &old]))?, "another digest at ours");
    run(&mut registry.crane(&["copy", &old, &registry.reference("new/hello:2")]))?;
    patch(namespace.name(), "team", r#"{"suspend": true}"#)?;
    run(&mut kubectl(&["-n", namespace.name(), "wait", "pod", "--all", "--for=delete", "--timeout=60s"]))?;

    let theirs = start(Command::new("docker-registry"), folder.path(), &config)?;
    for image in ["old/hello:1", "new/hello:2"] {
        crane(&theirs, &["validate", "--remote", &format!("REGISTRY/{image}")])?;
    }
    Ok(())
}
