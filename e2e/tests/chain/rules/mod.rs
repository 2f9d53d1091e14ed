//! What the API server refuses at once, with the words that the user reads; and what it takes.

mod broken;
mod fixed;
mod nulls;
mod outside;
mod tables;
mod taken;
mod template;
mod unions;

use anyhow::{Result, ensure};
use e2e::{kubectl::apply, object::manifest};
use tables::whole;

/// What the API server refuses, and the words for it.
fn refused(namespace: &str, name: &str, spec: &str, words: &str) -> Result<()> {
    match apply(namespace, &manifest(name, &whole(spec))) {
        Ok(said) => anyhow::bail!("{name} {spec} was taken: {said}"),
        Err(error) => ensure!(format!("{error:#}").contains(words), "{name} {spec}: {error:#}"),
    }
    Ok(())
}
