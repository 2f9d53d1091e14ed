//! A namespace for one test, gone when the test ends.

use std::thread;

use anyhow::Result;

use crate::{kubectl::kubectl, process::run, secrets};

/// A namespace under the "restricted" Pod Security standard; dropped, it is deleted with all it holds.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes `name` anew: what an interrupted run left behind is deleted first.
    pub fn create(name: &str) -> Result<Self> {
        run(&mut kubectl(&["delete", "namespace", name, "--ignore-not-found", "--wait"]))?;
        run(&mut kubectl(&["create", "namespace", name]))?;
        run(&mut kubectl(&["label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted"]))?;
        Ok(Self { name: name.to_owned() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let told = if thread::panicking() { Ok(Vec::new()) } else { secrets::told(&self.name) };
        // Objects are what explains a failure: `E2E_KEEP=1` leaves them, until the test runs again.
        if std::env::var_os("E2E_KEEP").is_none() {
            let _ = run(&mut kubectl(&["delete", "namespace", &self.name, "--wait=false"]));
        }
        match told {
            // Only now: what stays behind takes room from the tests that follow.
            Ok(told) => assert!(told.is_empty(), "{} tells what is secret: {told:?}", self.name),
            // A cluster of which parts were stopped may not say.
            Err(error) => eprintln!("{} was not looked through for secrets: {error:#}", self.name),
        }
    }
}
