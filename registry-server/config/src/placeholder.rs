//! Words that examples have where a secret belongs.

/// In small letters.
const WORDS: [&str; 4] = ["replaceme", "changeme", "change-me", "change_me"];

/// Whether nobody has chosen this secret yet.
pub fn is_placeholder(secret: &str) -> bool {
    WORDS.contains(&secret.trim().to_lowercase().as_str())
}
