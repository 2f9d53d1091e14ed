//! A registry as a program on this machine, without a cluster.

use std::{
    env,
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::process::eventually;

/// A registry over a folder, ended when it goes.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: String,
    log: PathBuf,
}

impl Server {
    /// Starts `command`, which serves `folder/data`. In its configuration `ADDRESS` and `DATA` stand for where it listens and
    /// for that folder.
    pub fn start(mut command: Command, folder: &Path, config: &str, address: String) -> Result<Self> {
        let (file, log) = (folder.join("config.yml"), folder.join("log"));
        let data = folder.join("data");
        fs::write(&file, config.replace("ADDRESS", &address).replace("DATA", &data.to_string_lossy()))?;
        let written = File::create(&log)?;
        command.arg("serve").arg(&file).stdout(Stdio::null()).stderr(written);
        let child = command.spawn().with_context(|| format!("{command:?}"))?;
        let server = Self { child, address, log };
        let listens = || Ok(TcpStream::connect(&server.address).is_ok().then_some(()));
        eventually(Duration::from_secs(20), "the registry to listen", listens)
            .with_context(|| server.log())?;
        Ok(server)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_else(|error| format!("no log: {error}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Our own server: what `REGISTRY_SERVER` names, else what was built beside this test.
pub fn ours() -> Result<Command> {
    if let Some(binary) = env::var_os("REGISTRY_SERVER") {
        return Ok(Command::new(binary));
    }
    let test = env::current_exe()?;
    let built = test.ancestors().nth(2).context("a test lies in target/debug/deps")?.join("registry-server");
    anyhow::ensure!(built.exists(), "no {}: set REGISTRY_SERVER", built.display());
    Ok(Command::new(built))
}
