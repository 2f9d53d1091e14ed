//! The cluster's own parts fail, the chart comes and goes: every registry serves on, and the operator comes back by itself.
//! These tests stop what all others need, or count what the operator does, so they run in a program of their own, one at a
//! time.

mod chart;
mod components;
mod gap;
mod idle;

use std::sync::{Arc, Mutex};

use anyhow::Result;
use e2e::{
    kubectl::apply,
    load::Load,
    registry::{Registry, pushes},
};

/// One test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The six-line registry, and pushes to it and pulls from it.
fn registry(namespace: &str) -> Result<(Arc<Registry>, Load)> {
    apply(namespace, include_str!("../../../examples/minimal.yaml"))?;
    let registry = Arc::new(Registry::ready(namespace, "team")?);
    registry.log_in("admin", &registry.password)?;
    let load = pushes(&registry)?;
    Ok((registry, load))
}
