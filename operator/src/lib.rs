//! The operator of `PrivateRegistry` objects.
//!
//! `reconcile` reads like a table of contents: name the children, gather what is secret, apply, tidy, tell.
//! `observe`, `generated`, `apply`, `redis_probe` and `cluster` hold a client; `resolve`, `placement`, `desired` and
//! the computation of the status are pure.

pub mod args;
pub mod cluster;
pub mod crd;
pub mod health;
pub mod private_registry;
pub mod reference;
pub mod selftest;
