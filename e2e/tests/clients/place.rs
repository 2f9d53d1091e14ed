//! Where a client finds the registry, and what it needs to trust it and to log in.

use std::{
    cell::RefCell, collections::BTreeSet, fs, net::TcpStream, path::PathBuf, process::Command, time::Duration,
};

use anyhow::{Result, ensure};
use e2e::{
    process::{eventually, must_fail_with_input, run_with_input},
    server::{Server, ours},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    image::Image,
    nginx::Nginx,
    ports,
    setup::{config, host, prepare},
    ways::Way,
};

/// The one account.
pub const USER: &str = "dev";
/// Its password.
pub const PASSWORD: &str = "correct horse";

/// A registry for one script.
pub struct Place {
    /// As clients write it, with the port.
    pub address: String,
    /// What they push.
    pub image: Image,
    /// What the client has done here.
    pub verbs: RefCell<BTreeSet<&'static str>>,
    server: Server,
    nginx: Option<Nginx>,
    home: TempDir,
}

impl Place {
    /// Starts what is needed; nothing when the machine has no nginx.
    pub fn start(way: Way) -> Result<Option<Self>> {
        let home = tempfile::tempdir()?;
        let address = format!("{}:{}", host(), ports::free());
        prepare(home.path())?;
        let behind =
            if way == Way::Direct { address.clone() } else { format!("127.0.0.1:{}", ports::free()) };
        let server = Server::start(ours()?, home.path(), &config(home.path(), way), behind)?;
        let nginx = way.site().map(|site| Nginx::start(home.path(), &address, &server.address, site));
        if matches!(nginx, Some(None)) {
            return Ok(None);
        }
        eventually(Duration::from_secs(20), "the way to be open", || {
            Ok(TcpStream::connect(&address).is_ok().then_some(()))
        })?;
        let image = Image::make(&home.path().join("files"))?;
        Ok(Some(Self { address, image, verbs: RefCell::default(), server, nginx: nginx.flatten(), home }))
    }

    /// `repository` at this registry, as clients write it.
    pub fn reference(&self, repository: &str) -> String {
        format!("{}/{repository}", self.address)
    }

    /// Where a file of this script has its place.
    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join("files").join(name)
    }

    /// The CA as a PEM file.
    pub fn ca(&self) -> PathBuf {
        self.certs().join("ca.crt")
    }

    /// The folder of the CA, in which nothing else is.
    pub fn certs(&self) -> PathBuf {
        self.home.path().join("certs")
    }

    /// `program ARGS…`, with credentials and settings of this script alone.
    pub fn client(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env("HOME", self.home.path()).env("XDG_RUNTIME_DIR", self.home.path());
        command.env("DOCKER_CONFIG", self.home.path()).env("REGISTRY_AUTH_FILE", self.file("auth.json"));
        command
    }

    /// As [`Place::client`], for one that asks the system whom to trust.
    pub fn trusting(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.client(program, args);
        command.env("SSL_CERT_FILE", self.ca()).env("SSL_CERT_DIR", "/nonexistent");
        command
    }

    /// What the registry answers to `GET` of this path, beside all clients: status, headers, and body.
    pub fn ask(&self, path: &str) -> Result<String> {
        self.ask_with(PASSWORD, path)
    }

    /// The same with another password.
    pub fn ask_with(&self, password: &str, path: &str) -> Result<String> {
        let mut curl = self.client("curl", &["-sS", "-i", "-K", "-", "--max-time", "10"]);
        curl.args(["-H", "Accept: */*", "--cacert"]).arg(self.ca());
        curl.arg(format!("https://{}{path}", self.address));
        run_with_input(&mut curl, &format!("user = \"{USER}:{password}\"\n"))
    }

    /// Fails unless this name stands for what has this digest.
    pub fn has(&self, repository: &str, name: &str, digest: &str) -> Result<()> {
        let said = self.ask(&format!("/v2/{repository}/manifests/{name}"))?;
        let header = format!("docker-content-digest: {digest}");
        let there = said.lines().any(|line| line.eq_ignore_ascii_case(&header));
        ensure!(there, "{repository}:{name} is not {digest}: {said}");
        Ok(())
    }

    /// Fails unless nothing has this name.
    pub fn lacks(&self, repository: &str, name: &str) -> Result<()> {
        let said = self.ask(&format!("/v2/{repository}/manifests/{name}"))?;
        ensure!(said.contains("MANIFEST_UNKNOWN"), "{repository}:{name} is still there: {said}");
        Ok(())
    }

    /// What the audit log has: who did what, from where.
    pub fn audited(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(self.home.path().join("data-audit"))?;
        Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    /// What registry and proxy have logged at the end.
    pub fn log(&self) -> String {
        let all = self.server.log() + &self.nginx.as_ref().map(Nginx::log).unwrap_or_default();
        let lines: Vec<&str> = all.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// Runs a client that the registry must turn away, and that must say so to its user.
pub fn refused(command: &mut Command, input: &str, said: &str) -> Result<()> {
    let message = must_fail_with_input(command, input)?;
    let told = message.to_lowercase().contains(&said.to_lowercase());
    ensure!(told, "{command:?} does not say {said:?} but {message}");
    Ok(())
}
