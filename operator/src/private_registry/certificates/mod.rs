//! Certificates: made, read, checked, rotated. Pure but for the keys; `now` is an argument.

pub mod authority;
pub mod inspect;
pub mod issue;
pub mod key_set;
pub mod provided;
pub mod token_keys;
