//! Passwords and their file. A line stays byte for byte while it verifies its password.

use rand::Rng;

use crate::private_registry::error::ResolveError;

/// Work factor of new lines: about 80 ms to verify.
const COST: u32 = 10;

/// A password of 32 letters and digits: 190 bits.
pub fn password() -> String {
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(32).map(char::from).collect()
}

/// The password file of `accounts`, sorted by name; lines of `old` that still verify are kept.
pub fn htpasswd(old: &str, accounts: &[(&str, &str)]) -> Result<String, ResolveError> {
    let mut lines = Vec::new();
    for (user, password) in accounts {
        let kept = old.lines().find(|line| verifies(line, user, password));
        lines.push(match kept {
            Some(line) => line.to_owned(),
            None => format!("{user}:{}", bcrypt::hash(password, COST).map_err(ResolveError::HashPassword)?),
        });
    }
    lines.sort();
    Ok(lines.join("\n") + "\n")
}

fn verifies(line: &str, user: &str, password: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(name, hash)| name == user && bcrypt::verify(password, hash).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    // operator 45, operator 5
    #[test]
    fn lines_stay_while_they_verify_and_go_with_their_account() {
        let first = htpasswd("", &[("ci", "one"), ("admin", "two")]).unwrap();
        assert!(first.starts_with("admin:$2"));
        assert_eq!(htpasswd(&first, &[("admin", "two"), ("ci", "one")]).unwrap(), first);
        let changed = htpasswd(&first, &[("admin", "three")]).unwrap();
        assert!(verifies(changed.trim(), "admin", "three"), "{changed}");
        assert_eq!(changed.lines().count(), 1);
    }
}
