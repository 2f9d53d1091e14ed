//! Password files: each line is an account or is told of, and no line stops a server for long.

use registry_config::password_hash::problem;
use registry_server::auth::htpasswd::{Minimum, parse};

/// How hashes begin that take about a millisecond.
const CHEAP: [&str; 5] = ["{SHA}", "$apr1$", "$1$", "$2y$04$", "$2b$04$"];

/// Takes the bytes for a file, and their last line for a password.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (accounts, unusable) = parse(text, Minimum::Any);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(lines.count(), accounts.len() + unusable.len());
    for line in &unusable {
        assert!(line.line >= 1 && line.line <= text.lines().count() && !line.reason.is_empty());
    }
    let usable = |line: &&str| {
        line.split_once(':').is_some_and(|(user, hash)| !user.is_empty() && problem(hash).is_none())
    };
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.starts_with('#')).filter(usable).collect();
    let named: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert_eq!(accounts.iter().map(|(user, _)| user.as_str()).collect::<Vec<_>>(), named);
    let strong: Vec<_> =
        lines.iter().zip(&accounts).filter(|(line, _)| hash_of(line).starts_with("$2")).collect();
    let (floor, refused) = parse(text, Minimum::Bcrypt);
    assert!(floor.iter().eq(strong.iter().map(|(_, account)| *account)));
    assert_eq!(refused.len(), unusable.len() + accounts.len() - floor.len());
    // Slow by design: a hash that costs more is tried by tests that have the time.
    let cheap = lines
        .iter()
        .zip(&accounts)
        .filter(|(line, _)| CHEAP.iter().any(|begin| hash_of(line).starts_with(begin)));
    for (_, (_, hash)) in cheap.take(2) {
        hash.verify(text.lines().last().unwrap_or_default());
    }
}

fn hash_of(line: &str) -> &str {
    line.split_once(':').map_or("", |(_, hash)| hash)
}
