//! Which hashes of a password file the server verifies. The operator asks the same question of files that users give it,
//! so what it lets through is what a server takes.

use base64::{Engine, engine::general_purpose::STANDARD};

/// A bcrypt line of higher cost would stop the server for minutes.
const HIGHEST_COST: u32 = 15;
/// The same of SHA-crypt, whose usual number is 5,000.
const MOST_ROUNDS: u64 = 500_000;

/// Why nobody can log in with `hash`; none: the server verifies it. Known are bcrypt, `$apr1$`, `$1$`, `{SHA}`, `$5$`
/// and `$6$`, as Apache's `htpasswd` and `crypt(3)` write them.
pub fn problem(hash: &str) -> Option<&'static str> {
    if hash.starts_with("$2") {
        return bcrypt(hash);
    }
    let md5 = hash.strip_prefix("$apr1$").or_else(|| hash.strip_prefix("$1$"));
    if let Some((salt, rest)) = md5.map(|m| m.split_once('$').unwrap_or_default()) {
        let good = (1..=8).contains(&salt.len()) && salt.is_ascii() && rest.len() == 22;
        return (!good).then_some("malformed MD5 hash");
    }
    if let Some(encoded) = hash.strip_prefix("{SHA}") {
        let decoded = STANDARD.decode(encoded);
        return (!decoded.is_ok_and(|digest| digest.len() == 20)).then_some("malformed SHA-1 hash");
    }
    if hash.starts_with("$5$") || hash.starts_with("$6$") {
        return sha_crypt(hash);
    }
    let des = hash.len() == 13 && hash.bytes().all(|b| b.is_ascii_alphanumeric() || b"./".contains(&b));
    Some(if des { "DES crypt is not accepted" } else { "plain text or unknown hash" })
}

fn sha_crypt(hash: &str) -> Option<&'static str> {
    let rounds =
        hash[3..].strip_prefix("rounds=").and_then(|rest| rest.split('$').next()?.parse::<u64>().ok());
    if rounds.is_some_and(|rounds| rounds > MOST_ROUNDS) {
        return Some("SHA-crypt has more than 500,000 rounds");
    }
    sha_crypt::PasswordHash::new(hash).is_err().then_some("malformed SHA-crypt hash")
}

fn bcrypt(hash: &str) -> Option<&'static str> {
    let known = ["$2y$", "$2a$", "$2b$"].iter().any(|prefix| hash.starts_with(prefix));
    let cost = hash.get(4..6).and_then(|cost| cost.parse::<u32>().ok());
    match cost {
        _ if !known || hash.len() != 60 || hash.as_bytes()[6] != b'$' => Some("malformed bcrypt hash"),
        Some(4..=HIGHEST_COST) => None,
        Some(_) => Some("bcrypt cost is not between 4 and 15"),
        None => Some("malformed bcrypt hash"),
    }
}
