//! An OCI distribution registry that runs anywhere.
//!
//! Rooms, from the top: `app` puts a server together; `http` is the door; `registry` is the domain;
//! `storage`, `cache` and `auth` serve it; `oci` is the vocabulary. `tests/architecture.rs` holds who may see whom.

#![warn(clippy::too_many_lines)]

pub mod app;
pub mod audit;
pub mod auth;
pub mod cache;
pub mod http;
pub mod metrics;
pub mod oci;
pub mod registry;
pub mod settings;
pub mod storage;
pub mod telemetry;
pub mod watched_file;
