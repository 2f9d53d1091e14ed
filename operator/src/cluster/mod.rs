//! The API server for any kind: read, server-side apply, prune, status, lease. Knows no kind of ours.

pub mod apply;
pub mod create;
pub mod deployment;
pub mod echoes;
pub mod lease;
pub mod pulse;
pub mod quantity;
pub mod requests;
pub mod retries;
pub mod subset;
pub mod watches;
