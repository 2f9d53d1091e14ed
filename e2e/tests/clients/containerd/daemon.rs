//! A containerd of a script's own, told by a folder of hosts whom to trust.

use std::{
    fs::{self, File},
    process::{Child, Command},
    time::Duration,
};

use anyhow::{Context, Result};
use e2e::process::{eventually, run};

use crate::place::Place;

/// One that ends with the script.
pub struct Containerd<'a> {
    place: &'a Place,
    child: Child,
}

impl<'a> Containerd<'a> {
    /// Starts it, and waits until it answers `ctr`.
    pub fn start(place: &'a Place) -> Result<Self> {
        let at = place.file("containerd");
        fs::create_dir(&at)?;
        hosts(place)?;
        fs::write(at.join("config.toml"), config(place))?;
        let mut command = Command::new("containerd");
        command.arg("--config").arg(at.join("config.toml"));
        let child = command.stderr(File::create(at.join("log"))?).spawn()?;
        let started = Self { place, child };
        started.answers("containerd", || started.ctr(&["version"]))?;
        Ok(started)
    }

    /// Waits until the command that `ask` makes succeeds.
    pub fn answers(&self, what: &str, ask: impl Fn() -> Command) -> Result<()> {
        let asked =
            eventually(Duration::from_secs(20), &format!("{what} to answer"), || run(&mut ask()).map(Some));
        let log = || fs::read_to_string(self.place.file("containerd/log")).unwrap_or_default();
        asked.map(drop).with_context(log)
    }

    /// `ctr ARGS…` in a namespace of its own, beside that of the CRI.
    pub fn ctr(&self, args: &[&str]) -> Command {
        let mut command = self.place.client("ctr", &["--namespace", "clients", "--address"]);
        command.arg(self.place.file("containerd/socket")).args(args);
        command
    }

    /// `crictl ARGS…`.
    pub fn crictl(&self, args: &[&str]) -> Command {
        let socket = format!("unix://{}", self.place.file("containerd/socket").display());
        let mut command = self.place.client("crictl", &["--runtime-endpoint", &socket]);
        command.args(["--image-endpoint", &socket]).args(args);
        command
    }

    /// Digests of all that `ctr` has.
    pub fn held(&self) -> Result<Vec<String>> {
        let listed = run(&mut self.ctr(&["content", "ls", "-q"]))?;
        Ok(listed.lines().map(str::to_owned).collect())
    }
}

impl Drop for Containerd<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All that it writes is below one folder, also what the CRI has for networks, of which a pull needs none.
fn config(place: &Place) -> String {
    let (at, hosts) = (place.file("containerd").display().to_string(), place.file("hosts"));
    format!(
        "version = 2\nroot = '{at}/root'\nstate = '{at}/state'\n[grpc]\naddress = '{at}/socket'\n\
         [plugins.'io.containerd.internal.v1.opt']\npath = '{at}/opt'\n\
         [plugins.'io.containerd.grpc.v1.cri'.cni]\nbin_dir = '{at}/cni'\nconf_dir = '{at}/cni'\n\
         [plugins.'io.containerd.grpc.v1.cri'.containerd]\nsnapshotter = 'native'\n\
         [plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '{}'\n",
        hosts.display()
    )
}

/// Where containerd looks for registries: the CA, and what the registry may do.
fn hosts(place: &Place) -> Result<()> {
    let folder = place.file("hosts").join(&place.address);
    fs::create_dir_all(&folder)?;
    let hosts = format!(
        "server = 'https://{0}'\n[host.'https://{0}']\ncapabilities = ['pull', 'resolve', 'push']\nca = '{1}'\n",
        place.address,
        place.ca().display()
    );
    fs::write(folder.join("hosts.toml"), hosts).map_err(Into::into)
}
