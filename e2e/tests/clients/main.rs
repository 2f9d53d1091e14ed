//! Every client against the server itself: once direct, once behind nginx as the recipe of 2014 had it, and once behind an
//! nginx that says what it knows, with tokens. No cluster is needed.
//!
//! `CLIENTS_HOST` is an address of this machine at which the registry is reached; on loopback some clients ask for less.
//! Tests of programs that are not on this machine are left out, unless `CLIENTS_REQUIRED` is set.

mod image;
#[expect(clippy::unwrap_used, reason = "a test may stop at once")]
#[path = "../../../registry-server/tests/nginx/mod.rs"]
mod nginx;
mod place;
#[expect(clippy::unwrap_used, reason = "a test may stop at once")]
#[path = "../../../registry-server/tests/ports/mod.rs"]
mod ports;
mod setup;
mod unknown;
mod verbs;
mod ways;

mod buildah;
mod containerd;
mod cosign;
mod crane;
mod docker;
mod helm;
mod oras;
mod own_storage;
mod podman;
mod regctl;
mod skopeo;
