//! The API: one file for each section of the object. `reason` words and conditions are constants.

pub mod access;
pub mod auth;
pub mod cache;
pub mod condition;
pub mod duration;
pub mod exposure;
pub mod image;
pub mod immutable_tags;
pub mod limits;
pub mod logging;
pub mod network_policy;
pub mod oidc;
pub mod pod;
pub mod quantity;
pub mod quota;
pub mod reference;
pub mod registry;
pub mod status;
pub mod storage;
pub mod tls;
pub mod token;
pub mod warning;
