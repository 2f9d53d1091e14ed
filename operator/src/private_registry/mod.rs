//! The kind `PrivateRegistry`: from an object to its children and back to its status.

pub mod accounts;
pub mod addresses;
pub mod apply;
pub mod certificate;
pub mod certificates;
pub mod context;
pub mod controller;
pub mod credentials;
pub mod desired;
pub mod error;
pub mod front;
pub mod generated;
pub mod model;
pub mod names;
pub mod observe;
pub mod placement;
pub mod prune;
pub mod reconcile;
pub mod redis_probe;
pub mod resolve;
pub mod rollout;
pub mod status;
pub mod tell;
pub mod trial;
pub mod tried;
pub mod wakes;
