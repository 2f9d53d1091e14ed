//! Children, one file each. Pure: no client, no clock, no randomness; the same model gives the same bytes.

pub mod child;
pub mod children;
pub mod config_maps;
pub mod deployment;
pub mod disruption_budget;
pub mod mounts;
pub mod network_policy;
pub mod pod_template;
pub mod redis;
pub mod redis_login;
pub mod secrets;
pub mod server_access;
pub mod server_config;
pub mod server_repositories;
pub mod server_tokens;
pub mod service_account;
pub mod services;
pub mod token_keys;
pub mod trial;
pub mod volume_claim;
