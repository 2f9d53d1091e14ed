//! One registry: from the object to its children and back to its status.

pub mod accounts;
pub mod controller;
pub mod desired;
pub mod error;
pub mod inputs;
pub mod issue;
pub mod model;
pub mod names;
pub mod reconcile;
pub mod status;
