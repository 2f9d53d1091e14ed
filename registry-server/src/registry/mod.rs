//! The domain: repositories of blobs, manifests and tags in a store. Speaks no HTTP, knows no users, reads no settings.

pub mod aside;
pub mod beside;
pub mod blobs;
pub mod cached_metadata;
pub mod catalog;
pub mod closing;
pub mod condition;
pub mod deleting;
pub mod error;
pub mod guard;
pub mod identity;
pub mod layout;
pub mod links;
pub mod locks;
pub mod looks;
pub mod manifests;
pub mod metadata;
pub mod purging;
pub mod referrers;
pub mod service;
pub mod tags;
pub mod trouble;
pub mod upload_hash;
pub mod upload_sink;
pub mod uploads;
pub mod walk;
