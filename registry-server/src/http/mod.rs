//! The door: from bytes of a connection to calls of the domain and back. Reaches bytes through the domain only.

pub mod access_line;
pub mod admin;
pub mod authorize;
pub mod blobs;
pub mod body;
pub mod certificate;
pub mod door;
pub mod error;
pub mod first_version;
pub mod headers;
pub mod inbound;
pub mod listener;
pub mod lists;
pub mod manifests;
pub mod outbound;
pub mod pace;
pub mod patient;
pub mod progress;
pub mod query;
pub mod redirect;
pub mod request_id;
pub mod route;
pub mod tls;
pub mod tls_config;
pub mod uploads;
pub mod well_formed;
