//! Parts of the cluster itself that a test stops. `CLUSTER_COMPONENT` names the program that knows how.

use std::{env, process::Command};

use anyhow::{Context, Result};

use crate::process::run;

/// A stopped component, started again at the latest when this goes out of scope.
pub struct Stopped(&'static str, bool);

fn tell(verb: &str, component: &str) -> Result<()> {
    let program = env::var("CLUSTER_COMPONENT")
        .context("CLUSTER_COMPONENT is not set: run the suite with `make e2e`")?;
    run(Command::new(program).args([verb, component])).map(drop)
}

impl Stopped {
    /// Stops `component`: `kube-apiserver`, `kubelet` or `kube-proxy`.
    pub fn stop(component: &'static str) -> Result<Self> {
        let stopped = Self(component, false);
        tell("stop", component)?;
        Ok(stopped)
    }

    /// Starts it again.
    pub fn start(mut self) -> Result<()> {
        self.1 = true;
        tell("start", self.0)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        if !self.1 {
            let _ = tell("start", self.0);
        }
    }
}
