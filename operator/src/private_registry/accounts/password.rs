//! Passwords: made once, hashed once.

use rand::Rng;

use crate::private_registry::error::ResolveError;

/// Work factor of new lines: about 80 ms to verify, and so to guess.
const COST: u32 = 10;
/// That of passwords which nobody guesses, however fast: about 1 ms. A thousand registries are two thousand of them.
const COST_OF_RANDOM: u32 = 4;

/// A password of 32 letters and digits: 190 bits.
pub fn generate() -> String {
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(32).map(char::from).collect()
}

/// A new line of a password file. `random`: the password came from [`generate`] just now, so nobody has chosen it.
pub fn line(user: &str, password: &str, random: bool) -> Result<String, ResolveError> {
    let cost = if random { COST_OF_RANDOM } else { COST };
    // bcrypt reads 72 bytes; what is longer would be cut in silence.
    let hash = bcrypt::non_truncating_hash(password, cost).map_err(ResolveError::HashPassword)?;
    Ok(format!("{user}:{hash}"))
}

/// Whether `line` is the one of `user`, and opens with `password`.
pub fn verifies(line: &str, user: &str, password: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(name, hash)| name == user && bcrypt::verify(password, hash).unwrap_or(false))
}
