//! Passes over one object against an API server in memory: quiet, crash-safe, and never at the cost of a value that
//! was made once.

#![expect(clippy::unwrap_used, reason = "what cannot be read or built must fail the test")]

mod certificates;
mod client_certificates;
mod crash;
mod echoes;
mod fake_api;
mod fields;
mod hand_over;
mod held;
mod hostnames;
mod inputs;
mod issuers;
mod life;
mod metrics;
mod oidc;
mod redis;
mod refusals;
mod releases;
mod rollout;
mod secrets;
mod token_keys;
mod token_server;
mod watches;
mod world;
