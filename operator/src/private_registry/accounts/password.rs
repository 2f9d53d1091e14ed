//! Passwords: made once, hashed once.

use rand::Rng;

use crate::private_registry::error::ResolveError;

/// Work factor of new lines: about 80 ms to verify.
const COST: u32 = 10;

/// A password of 32 letters and digits: 190 bits.
pub fn generate() -> String {
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(32).map(char::from).collect()
}

/// A new line of a password file.
pub fn line(user: &str, password: &str) -> Result<String, ResolveError> {
    // bcrypt reads 72 bytes; what is longer would be cut in silence.
    let hash = bcrypt::non_truncating_hash(password, COST).map_err(ResolveError::HashPassword)?;
    Ok(format!("{user}:{hash}"))
}

/// Whether `line` is the one of `user`, and opens with `password`.
pub fn verifies(line: &str, user: &str, password: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(name, hash)| name == user && bcrypt::verify(password, hash).unwrap_or(false))
}
