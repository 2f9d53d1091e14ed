//! The operator of `PrivateRegistry` objects.
//!
//! `reconcile` reads like a table of contents: name the children, gather what is secret, apply, tidy, tell.
//! Only `inputs`, `reconcile` and `cluster` hold a client; `desired` and `status` are pure.

pub mod args;
pub mod cluster;
pub mod crd;
pub mod health;
pub mod private_registry;
