//! A store of Debian's docker-registry is taken over in place, and given back.

use std::{
    env, fs,
    net::TcpStream,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::kubectl,
    namespace::Namespace,
    object::{apply_object, patch, settled},
    process::{eventually, run},
    registry::{Registry, hello_layout},
};

use crate::{ports, shared::Shared};

/// A registry on loopback over a folder, ended when it goes.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(mut command: Command, folder: &Path, config: &str) -> Result<Self> {
        let address = format!("127.0.0.1:{}", ports::free());
        let file = folder.join("config.yml");
        let data = folder.join("data");
        let config = config.replace("ADDRESS", &address).replace("DATA", &data.to_string_lossy());
        fs::write(&file, config)?;
        let child = command
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        let server = Self { child, address };
        eventually(Duration::from_secs(20), "the registry to listen", || {
            Ok(TcpStream::connect(&server.address).is_ok().then_some(()))
        })?;
        Ok(server)
    }

    fn reference(&self, repository: &str) -> String {
        format!("{}/{repository}", self.address)
    }

    /// Runs crane as the account of the file.
    fn crane(&self, args: &[&str]) -> Result<String> {
        let home = tempfile::tempdir()?;
        // "ann:secret"
        let logins = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"YW5uOnNlY3JldA==\"}}}}}}", self.address);
        fs::write(home.path().join("config.json"), logins)?;
        run(Command::new("crane").args(args).env("DOCKER_CONFIG", home.path()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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

fn ours() -> Result<Command> {
    let binary = env::var_os("REGISTRY_SERVER").map(PathBuf::from).context("REGISTRY_SERVER is not set")?;
    Ok(Command::new(binary))
}

// registry ST10
#[test]
fn a_store_of_docker_registry_is_taken_over_and_given_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = config(folder.path())?;
    let theirs = Server::start(Command::new("docker-registry"), folder.path(), &config)?;
    theirs.crane(&["push", &hello_layout()?, &theirs.reference("old/hello:1")])?;
    let digest = theirs.crane(&["digest", &theirs.reference("old/hello:1")])?;
    drop(theirs);

    let server = Server::start(ours()?, folder.path(), &config)?;
    server.crane(&["validate", "--remote", &server.reference("old/hello:1")])?;
    ensure!(digest == server.crane(&["digest", &server.reference("old/hello:1")])?, "another digest at ours");
    server.crane(&["copy", &server.reference("old/hello:1"), &server.reference("new/hello:2")])?;
    server.crane(&["tag", &server.reference("old/hello:1"), "again"])?;
    drop(server);

    let theirs = Server::start(Command::new("docker-registry"), folder.path(), &config)?;
    for image in ["old/hello:1", "old/hello:again", "new/hello:2"] {
        theirs.crane(&["validate", "--remote", &theirs.reference(image)])?;
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
    let theirs = Server::start(Command::new("docker-registry"), folder.path(), &config)?;
    theirs.crane(&["push", &hello_layout()?, &theirs.reference("old/hello:1")])?;
    let digest = theirs.crane(&["digest", &theirs.reference("old/hello:1")])?;
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

    let theirs = Server::start(Command::new("docker-registry"), folder.path(), &config)?;
    for image in ["old/hello:1", "new/hello:2"] {
        theirs.crane(&["validate", "--remote", &theirs.reference(image)])?;
    }
    Ok(())
}
