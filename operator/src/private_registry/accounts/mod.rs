//! Passwords and their file.

pub mod file;
pub mod line;
pub mod listing;
pub mod password;
pub mod rotation;
