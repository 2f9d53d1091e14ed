//! The registry server's configuration file as plain types.
//!
//! The operator writes it, the server reads it: sharing the types is what keeps the two from
//! disagreeing. The schema is a superset of the CNCF distribution registry's `config.yml`. This
//! crate does no I/O and knows nothing about the server or Kubernetes.

pub mod advice;
pub mod check;
pub mod check_certificates;
pub mod check_redirect;
pub mod check_redis;
pub mod check_s3;
pub mod check_tokens;
pub mod check_warnings;
pub mod duration;
pub mod environment;
pub mod error;
pub mod lifted;
pub mod load;
pub mod password_hash;
pub mod placeholder;
pub mod position;
pub mod public_keys;
pub mod schema;
mod top_level;
