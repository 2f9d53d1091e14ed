//! Password files: each line is an account or is told of, and no line stops a server for long.

use registry_config::password_hash::problem;
use registry_server::auth::htpasswd::{Minimum, parse};

/// Takes the bytes for a file, and their last line for a password.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (accounts, unusable) = parse(text, Minimum::Any);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(lines.count(), accounts.len() + unusable.len());
    for line in &unusable {
        assert!(line.line >= 1 && line.line <= text.lines().count() && !line.reason.is_empty());
    }
    for (user, hash) in &accounts {
        assert!(!user.is_empty() && !user.contains(':'));
        // Slow by design: a hash with a cost is tried by tests that have the time.
        if is_cheap(text, user) {
            hash.verify(text.lines().last().unwrap_or_default());
        }
    }
}

/// Whether every hash of the user's takes less than a millisecond.
fn is_cheap(text: &str, user: &str) -> bool {
    let hashes =
        text.lines().filter_map(|line| line.trim().split_once(':')).filter(|(name, _)| *name == user);
    let usable = hashes.map(|(_, hash)| hash).filter(|hash| problem(hash).is_none());
    usable.into_iter().all(|hash| hash.starts_with("{SHA}"))
}
