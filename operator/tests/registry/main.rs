//! From an object to its children and its status, without a cluster.

#![expect(clippy::unwrap_used, reason = "what cannot be read or built must fail the test")]

mod conditions;
mod names;
mod placement;
mod pods;
mod redis;
mod rules;
mod sample;
mod settings;
mod snapshots;
mod volume;
