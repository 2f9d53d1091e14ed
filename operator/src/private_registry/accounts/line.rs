//! One line of a password file that somebody else wrote: can the registry verify it, and how cheap is it to break?

use registry_config::password_hash::problem;

/// What a hash is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// As strong as those that the operator makes.
    Bcrypt,
    /// The registry verifies it; whoever gets the file breaks it sooner.
    Weaker,
    /// Nobody can log in with it, and why: DES, plain text, or not a hash at all.
    Unusable(&'static str),
}

/// One account of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1.
    pub number: usize,
    /// The account.
    pub user: &'a str,
    /// The whole line.
    pub text: &'a str,
    /// What its hash is worth.
    pub strength: Strength,
}

/// The accounts of `text`; or, when lines are none, their numbers.
pub fn parse(text: &str) -> Result<Vec<Line<'_>>, Vec<usize>> {
    let (mut lines, mut broken) = (Vec::new(), Vec::new());
    for (number, text) in text.lines().enumerate().map(|(index, text)| (index + 1, text.trim())) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match text.split_once(':') {
            Some((user, hash)) if !user.is_empty() => {
                lines.push(Line { number, user, text, strength: strength(hash) });
            }
            Some(_) | None => broken.push(number),
        }
    }
    if broken.is_empty() { Ok(lines) } else { Err(broken) }
}

fn strength(hash: &str) -> Strength {
    match problem(hash) {
        Some(why) => Strength::Unusable(why),
        None if hash.starts_with("$2") => Strength::Bcrypt,
        None => Strength::Weaker,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // operator 95
    #[test]
    fn hashes_are_told_apart() {
        for (hash, expected) in [
            ("$2y$05$abcdefghijklmnopqrstuuJ1x1Yx1Yx1Yx1Yx1Yx1Yx1Yx1Yx1Yxu", Strength::Bcrypt),
            ("$2y$05$short", Strength::Unusable("malformed bcrypt hash")),
            (
                "$2y$31$abcdefghijklmnopqrstuuJ1x1Yx1Yx1Yx1Yx1Yx1Yx1Yx1Yx1Yxu",
                Strength::Unusable("bcrypt cost is not between 4 and 15"),
            ),
            (
                "$5$rounds=999999999$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.",
                Strength::Unusable("SHA-crypt has more than 500,000 rounds"),
            ),
            ("$apr1$salt$0123456789012345678901", Strength::Weaker),
            ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", Strength::Weaker),
            ("rqXexS6ZhobKA", Strength::Unusable("DES crypt is not accepted")),
            ("{PLAIN}secret", Strength::Unusable("plain text or unknown hash")),
            ("", Strength::Unusable("plain text or unknown hash")),
        ] {
            assert_eq!(strength(hash), expected, "{hash}");
        }
    }

    // operator 94
    #[test]
    fn what_is_no_password_file_is_told_by_line() {
        assert_eq!(parse("ann:x\n\n# note\n:y\n<html>\n"), Err(vec![4, 5]));
        assert_eq!(parse("# nobody\n"), Ok(vec![]));
    }
}
