//! What outsiders write, given to whatever reads it first. Each module has one `check`, which takes any bytes and panics
//! when the reader panics or says what cannot be. A fuzzer runs it by `make fuzz`; the tests run it over `seeds/`, where
//! each input stays that once was answered wrongly.

pub mod byte_range;
pub mod configuration;
pub mod credentials;
pub mod forwarded;
pub mod htpasswd;
pub mod key_set;
pub mod manifest;
pub mod policy;
pub mod reference;
pub mod route;
pub mod scopes;
pub mod token;

#[cfg(test)]
mod seeds;
