//! A registry that a `PrivateRegistry` made, as its clients see it.

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    kubectl::{get, kubectl, wait},
    load::Load,
    pod::pods,
    process::{eventually, run, run_at_first_go, run_with_input},
};

/// Where one registry answers, and what a client needs to trust it and to log in.
pub struct Registry {
    namespace: String,
    name: String,
    /// `ADDRESS` of its Service, in its certificate: reachable from the node and from pods.
    pub address: String,
    /// Password of the account `admin`.
    pub password: String,
    home: TempDir,
}

impl Registry {
    /// Waits until `name` is Ready, then reads address, CA and password as the documentation says.
    pub fn ready(namespace: &str, name: &str) -> Result<Self> {
        wait(namespace, &format!("privateregistry/{name}"), "condition=Ready", 120)?;
        let service = get(namespace, &["service", &format!("{name}-registry")])?;
        let address = service["spec"]["clusterIP"].as_str().context("the Service has no address")?.to_owned();
        let password = secret(namespace, &format!("{name}.admin"), "password")?;
        let registry = Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            address,
            password,
            home: tempfile::tempdir()?,
        };
        registry.fetch_ca()?;
        // The node's proxy learns of a ready pod a moment after the API server does.
        eventually(Duration::from_secs(20), "the Service to answer", || {
            Ok((registry.status_of("/v2/", "", "")? == "401").then_some(()))
        })?;
        Ok(registry)
    }

    /// Writes the published CA where the clients of this registry look for it.
    pub fn fetch_ca(&self) -> Result<()> {
        let trust = get(&self.namespace, &["configmap", &format!("{}-trust", self.name)])?;
        let ca = trust["data"]["ca.crt"].as_str().context("no ca.crt in the trust bundle")?;
        fs::create_dir_all(self.home.path().join("certs"))?;
        fs::write(self.ca_file(), ca)?;
        Ok(())
    }

    /// The CA as a PEM file.
    pub fn ca_file(&self) -> PathBuf {
        self.home.path().join("certs/ca.crt")
    }

    /// `repository` at this registry, as clients write it.
    pub fn reference(&self, repository: &str) -> String {
        format!("{}/{repository}", self.address)
    }

    /// `crane ARGS…`, which trusts this registry's CA only and keeps its own credentials.
    pub fn crane(&self, args: &[&str]) -> Command {
        let mut command = Command::new("crane");
        command.args(args).env("SSL_CERT_FILE", self.ca_file()).env("SSL_CERT_DIR", "/nonexistent");
        command.env("DOCKER_CONFIG", self.home.path());
        command
    }

    /// `skopeo ARGS…` with this registry's CA and its own credentials.
    pub fn skopeo(&self, args: &[&str]) -> Command {
        let mut command = Command::new("skopeo");
        command.args(args).env("SSL_CERT_FILE", self.ca_file());
        command.env("REGISTRY_AUTH_FILE", self.home.path().join("skopeo-auth.json"));
        command
    }

    /// Logs in with crane and skopeo.
    pub fn log_in(&self, user: &str, password: &str) -> Result<()> {
        let login = ["auth", "login", "-u", user, "--password-stdin", &self.address];
        run_with_input(&mut self.crane(&login), password)?;
        let login = ["login", "-u", user, "--password-stdin", &self.address];
        run_with_input(&mut self.skopeo(&login), password).map(drop)
    }

    /// Pods of the registry itself, without those that are being deleted.
    pub fn pods(&self) -> Result<Vec<String>> {
        pods(&self.namespace, &self.name, "registry")
    }

    /// Status code of `GET path` as `user`, by curl with the CA checked.
    pub fn status_of(&self, path: &str, user: &str, password: &str) -> Result<String> {
        self.status("GET", path, &as_user(user, password))
    }

    /// Status code of `POST path` without a body.
    pub fn status_of_post(&self, path: &str, user: &str, password: &str) -> Result<String> {
        self.status("POST", path, &as_user(user, password))
    }

    /// Status code of `GET path` with a token that the registry gave.
    pub fn status_with(&self, path: &str, token: &str) -> Result<String> {
        self.status("GET", path, &format!("header = \"Authorization: Bearer {token}\"\n"))
    }

    /// What `admin` gets by `GET path`.
    pub fn read(&self, path: &str) -> Result<Value> {
        let said = run_with_input(self.curl(path).arg("-f"), &as_user("admin", &self.password))?;
        serde_json::from_str(&said).with_context(|| said)
    }

    fn status(&self, method: &str, path: &str, login: &str) -> Result<String> {
        let mut curl = self.curl(path);
        run_with_input(curl.args(["-o", "/dev/null", "-w", "%{http_code}", "-X", method]), login)
    }

    /// curl, which reads the login from standard input.
    fn curl(&self, path: &str) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-K", "-", "--max-time", "10", "--cacert"]).arg(self.ca_file());
        curl.arg(format!("https://{}{path}", self.address));
        curl
    }
}

/// A login as curl reads it.
fn as_user(user: &str, password: &str) -> String {
    format!("user = \"{user}:{password}\"\n")
}

/// Asks the registry again and again: each request has to be answered.
pub fn answers(registry: &Arc<Registry>) -> Load {
    let target = Arc::clone(registry);
    Load::start(move || {
        let status = target.status_of("/v2/", "admin", &target.password)?;
        ensure!(status == "200", "status {status}");
        Ok(())
    })
}

/// OCI layout folder of the small application image that the cluster scripts make.
pub fn hello_layout() -> Result<String> {
    env::var("HELLO_LAYOUT").context("HELLO_LAYOUT is not set: run the suite with `make e2e`")
}

/// Pushes under a new name each time, and pulls what was pushed. No request of either may fail, not even one that the client
/// repeats by itself; between, there is one that no client repeats.
pub fn pushes(registry: &Arc<Registry>) -> Result<Load> {
    let (layout, target) = (hello_layout()?, Arc::clone(registry));
    let count = AtomicUsize::new(0);
    Ok(Load::start(move || {
        let image = target.reference(&format!("load/image-{}:1", count.fetch_add(1, Ordering::Relaxed)));
        run_at_first_go(&mut target.crane(&["push", &layout, &image]))?;
        let status = target.status_of("/v2/", "admin", &target.password)?;
        ensure!(status == "200", "status {status}");
        run_at_first_go(&mut target.crane(&["validate", "--remote", &image])).map(drop)
    }))
}

/// One key of a Secret, decoded.
pub fn secret(namespace: &str, name: &str, key: &str) -> Result<String> {
    let template = format!("go-template={{{{index .data {key:?} | base64decode}}}}");
    let value = run(&mut kubectl(&["-n", namespace, "get", "secret", name, "-o", &template]))?;
    if value.is_empty() {
        bail!("secret {namespace}/{name} has no {key}");
    }
    Ok(value)
}
