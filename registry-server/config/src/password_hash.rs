//! Which hashes of a password file the server verifies. The operator asks the same question of files that users give it,
//! so what it lets through is what a server takes.

use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD},
};

/// A bcrypt line of higher cost would stop the server for minutes.
const HIGHEST_COST: u32 = 15;
/// The same of SHA-crypt, whose usual number is 5,000.
const MOST_ROUNDS: u64 = 500_000;
/// `crypt(3)` takes fewer for as many, and the server takes none.
const FEWEST_ROUNDS: u64 = 1_000;
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);

/// Why nobody can log in with `hash`; none: the server verifies it. Known are bcrypt, `$apr1$`, `$1$`, `{SHA}`, `$5$`
/// and `$6$`, as Apache's `htpasswd` and `crypt(3)` write them.
pub fn problem(hash: &str) -> Option<&'static str> {
    if hash.starts_with("$2") {
        return bcrypt(hash);
    }
    let md5 = hash.strip_prefix("$apr1$").or_else(|| hash.strip_prefix("$1$"));
    if let Some((salt, rest)) = md5.map(|m| m.split_once('$').unwrap_or_default()) {
        let good = (1..=8).contains(&salt.len()) && salt.is_ascii() && rest.len() == 22 && is_crypt(rest);
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
    let mut fields = hash[3..].split('$').peekable();
    if let Some(rounds) = fields.next_if(|first| first.starts_with("rounds=")) {
        match rounds["rounds=".len()..].parse::<u64>() {
            Ok(FEWEST_ROUNDS..=MOST_ROUNDS) => {}
            Ok(..FEWEST_ROUNDS) => return Some("SHA-crypt has fewer than 1,000 rounds"),
            Ok(_) => return Some("SHA-crypt has more than 500,000 rounds"),
            Err(_) => return Some("malformed SHA-crypt hash"),
        }
    }
    let (salt, digest) = (fields.next(), fields.next().unwrap_or_default());
    let length = if hash.starts_with("$5$") { 43 } else { 86 };
    let good = salt.is_some() && digest.len() == length && is_crypt(digest) && fields.next().is_none();
    let good = good && sha_crypt::PasswordHash::new(hash).is_ok();
    (!good).then_some("malformed SHA-crypt hash")
}

/// Whether it is of the letters that `crypt(3)` writes.
fn is_crypt(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./".contains(&byte))
}

fn bcrypt(hash: &str) -> Option<&'static str> {
    let known = ["$2y$", "$2a$", "$2b$"].iter().any(|prefix| hash.starts_with(prefix));
    let cost = hash.get(4..6).and_then(|cost| cost.parse::<u32>().ok());
    match cost {
        _ if !known || !hash.is_ascii() || hash.len() != 60 || hash.as_bytes()[6] != b'$' => {
            Some("malformed bcrypt hash")
        }
        // A letter that has bits beyond the end is none that any program writes, and no server reads it.
        _ if BCRYPT.decode(&hash[7..29]).is_err() || BCRYPT.decode(&hash[29..]).is_err() => {
            Some("malformed bcrypt hash")
        }
        Some(4..=HIGHEST_COST) => None,
        Some(_) => Some("bcrypt cost is not between 4 and 15"),
        None => Some("malformed bcrypt hash"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT_LINE: &str = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC";

    // registry AU5: what nobody can log in with is told, and not found out by those who try
    #[test]
    fn what_no_server_verifies_is_a_problem() {
        let (short, long) = ("a".repeat(43), "a".repeat(86));
        let cases = [
            (BCRYPT_LINE.to_owned(), true),
            (format!("$2y$10${}", "!".repeat(53)), false),
            (BCRYPT_LINE.replace("6u", "6v"), false),
            (format!("{}é", &BCRYPT_LINE[..58]), false),
            (format!("$apr1$salt${}", "a".repeat(22)), true),
            (format!("$apr1$salt${}!", "a".repeat(21)), false),
            (format!("$5$salt${short}"), true),
            (format!("$6$salt${long}"), true),
            (format!("$5$salt${long}"), false),
            (format!("$5$rounds=1000$salt${short}"), true),
            (format!("$5$rounds=500$salt${short}"), false),
            (format!("$5$rounds=500001$salt${short}"), false),
            (format!("$5$rounds=many$salt${short}"), false),
            (format!("$5$salt${short}$more"), false),
            ("$6$salt$abc".to_owned(), false),
            ("$6$onlysalt".to_owned(), false),
        ];
        for (hash, good) in cases {
            assert_eq!(problem(&hash).is_none(), good, "{hash}");
        }
    }
}
