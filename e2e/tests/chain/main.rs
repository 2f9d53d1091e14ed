//! From the six lines to a running pod, on a real cluster, with real clients.

mod access;
mod accounts;
mod adoption;
mod audit;
mod authority;
mod balancer;
mod cache;
mod certificates;
mod charts;
mod client_certificates;
mod clients;
mod conformance;
mod deletion;
mod external_redis;
mod fields;
mod growing;
mod job;
mod life;
mod live;
mod neighbours;
mod oidc;
mod own_redis;
mod pods;
#[expect(clippy::unwrap_used, reason = "a test may stop at once")]
#[path = "../../../registry-server/tests/ports/mod.rs"]
mod ports;
mod refusing;
mod repositories;
mod rollout;
mod rules;
mod secrecy;
mod shared;
mod store;
mod token_keys;
mod token_server;
mod token_service;
mod tokens;
mod volumes;
