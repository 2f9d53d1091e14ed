//! Small values, best effort. Holds what it does not understand, and fails without anybody noticing but the metrics.

pub mod key_value;
pub mod memory;
pub mod redis;
pub mod redis_address;
pub mod redis_connection;
