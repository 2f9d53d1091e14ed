//! The operator of `PrivateRegistry` objects.
//!
//! `reconcile` reads like a table of contents: name the children, gather what is secret, apply, tidy, tell.
//! `resolve`, `placement`, `desired` and the computation of the status are pure: they have no client and no clock.
//! `ARCHITECTURE.md` says of every other room what it asks the cluster for.

#![warn(clippy::too_many_lines)]

pub mod args;
pub mod cluster;
pub mod crd;
pub mod health;
pub mod private_registry;
pub mod reference;
pub mod selftest;
