//! Lines of an Apache password file: reading, verifying, making. Never panics on what it finds.

use base64::Engine as _;
use registry_config::password_hash::problem;
use sha_crypt::PasswordVerifier as _;
use sha1::Digest as _;
use subtle::ConstantTimeEq as _;

use crate::auth::{error::AuthError, md5_crypt::md5_crypt};

/// Cost of the hashes that are made here.
const COST: u32 = 10;

/// A hash that can be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash(String);

/// A line that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Counted from 1.
    pub line: usize,
    /// Whose it is, if that can be told.
    pub user: String,
    /// Why.
    pub reason: &'static str,
}

/// The weakest hash that may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Minimum {
    /// Every one that is known here.
    Any,
    /// bcrypt.
    Bcrypt,
}

impl Minimum {
    /// Why nobody can log in with the hash.
    fn problem(self, hash: &str) -> Option<&'static str> {
        let weak = self == Self::Bcrypt && !hash.starts_with("$2");
        problem(hash).or(weak.then_some("weaker than auth.htpasswd.minimumhash"))
    }
}

/// Reads a file's text: accounts in order, and the lines that cannot be used.
pub fn parse(text: &str, minimum: Minimum) -> (Vec<(String, Hash)>, Vec<Unusable>) {
    let (mut accounts, mut unusable) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (user, hash) = line.split_once(':').unwrap_or(("", line));
        let reason = if user.is_empty() { Some("no user name") } else { minimum.problem(hash) };
        match reason {
            None => accounts.push((user.to_owned(), Hash(hash.to_owned()))),
            Some(reason) => unusable.push(Unusable { line: index + 1, user: user.to_owned(), reason }),
        }
    }
    (accounts, unusable)
}

impl Hash {
    /// Whether the password is the right one.
    pub fn verify(&self, password: &str) -> bool {
        let hash = self.0.as_str();
        if hash.starts_with("$2") {
            return bcrypt::verify(password, hash).unwrap_or(false);
        }
        if let Some(encoded) = hash.strip_prefix("{SHA}") {
            let wanted = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default();
            return sha1::Sha1::digest(password).as_slice().ct_eq(&wanted).into();
        }
        for magic in ["$apr1$", "$1$"] {
            if let Some((salt, wanted)) = hash.strip_prefix(magic).and_then(|rest| rest.split_once('$')) {
                let actual = md5_crypt(magic, password.as_bytes(), salt.as_bytes());
                return actual.as_bytes().ct_eq(wanted.as_bytes()).into();
            }
        }
        sha_crypt::PasswordHash::new(hash)
            .is_ok_and(|h| sha_crypt::ShaCrypt::default().verify_password(password.as_bytes(), &h).is_ok())
    }
}

/// The file's text with the user's line replaced or added.
pub fn with_account(text: &str, user: &str, password: &str) -> Result<String, AuthError> {
    if user.is_empty() || user.starts_with('#') || user.contains([':', '\n', '\r']) || user.trim() != user {
        return Err(AuthError::UserName);
    }
    if password.is_empty() || password.len() > 72 {
        return Err(AuthError::PasswordLength);
    }
    let hash = bcrypt::hash_with_result(password, COST).map_err(AuthError::Hash)?;
    let line = format!("{user}:{}", hash.format_for_version(bcrypt::Version::TwoY));
    let others = text.lines().filter(|l| l.split_once(':').is_none_or(|(name, _)| name.trim() != user));
    Ok(others.chain([line.as_str()]).map(|l| format!("{l}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry A16
    #[test]
    fn eight_kinds_of_hash_log_in() {
        let bcrypt = bcrypt::hash_with_result("secret", 4).unwrap();
        let versions = [bcrypt::Version::TwoY, bcrypt::Version::TwoA, bcrypt::Version::TwoB];
        let mut lines = versions.map(|v| bcrypt.format_for_version(v)).to_vec();
        for known in [
            "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/",
            "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1",
            "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
            "$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.",
            "$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.",
        ] {
            lines.push(known.to_owned());
        }
        for hash in lines {
            let (accounts, unusable) = parse(&format!("u:{hash}"), Minimum::Any);
            assert_eq!(unusable, [], "{hash}");
            assert!(accounts[0].1.verify("secret"), "{hash}");
            assert!(!accounts[0].1.verify("wrong"), "{hash}");
        }
    }

    // registry A16
    #[test]
    fn unusable_lines_are_named_and_never_panic() {
        let text = "\n# note\nu:rl5uQmS3bzBLU\nplain:text\ngarbage\nx:$2y$05$short\ny:$apr1$ab\nz:$2y$31$\n\
                    w:$5$rounds=999999999$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.";
        let (accounts, unusable) = parse(text, Minimum::Any);
        assert!(accounts.is_empty());
        assert_eq!(unusable.iter().map(|u| u.line).collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8, 9]);
    }

    // registry AU7
    #[test]
    fn accounts_are_added_and_replaced() {
        let one = with_account("", "ann", "first").unwrap();
        let two = with_account(&one, "bob", "second").unwrap();
        let (accounts, unusable) = parse(&with_account(&two, "ann", "third").unwrap(), Minimum::Any);
        assert!(unusable.is_empty());
        assert_eq!(accounts.len(), 2);
        assert!(accounts.iter().any(|(u, h)| u == "ann" && h.verify("third")));
        assert!(with_account("", "a:b", "x").is_err());
        assert!(with_account("", "a", &"x".repeat(73)).is_err());
        // As `htpasswd -v` has it, what comes after 72 bytes does not count.
        let cut = Hash(bcrypt::hash("x".repeat(72), 4).unwrap());
        assert!(cut.verify(&"x".repeat(73)) && !cut.verify(&"x".repeat(71)));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[ -~\n]{0,200}", hash in "(\\$2y\\$|\\$apr1\\$|\\$6\\$|\\{SHA\\})[ -~é]{0,60}") {
            let (accounts, _) = parse(&format!("{text}\nu:{hash}"), Minimum::Any);
            for (_, hash) in accounts.iter().take(2) {
                if !hash.0.starts_with("$2") && !hash.0.contains("rounds") { hash.verify("x"); }
            }
        }
    }
}
