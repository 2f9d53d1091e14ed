//! The API. Types only: this folder knows no cluster and decides nothing.

pub mod condition;
pub mod image;
pub mod logging;
pub mod registry;
pub mod status;
pub mod storage;
