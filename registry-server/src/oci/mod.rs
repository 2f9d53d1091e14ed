//! The vocabulary of the protocol: pure types, parsed once at the door. May use nothing of ours.

pub mod byte_range;
pub mod digest;
pub mod error;
pub mod error_code;
pub mod hasher;
pub mod manifest;
pub mod nesting;
pub mod reference;
pub mod repository_name;
pub mod tag;
