//! Repository names.

use std::{fmt, str::FromStr};

use crate::oci::error::ParseError;

/// A repository's name, by the specification's grammar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(String);

const LONGEST: usize = 255;

impl RepositoryName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Runs of letters and digits with one separator between each: `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = |b: Option<&u8>| b.copied().is_some_and(alphanumeric);
    let separators = bytes.split(|b| alphanumeric(*b)).filter(|run| !run.is_empty());
    let known = |run: &[u8]| matches!(run, b"." | b"_" | b"__") || run.iter().all(|b| *b == b'-');
    ends(bytes.first()) && ends(bytes.last()) && separators.into_iter().all(known)
}

impl FromStr for RepositoryName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() <= LONGEST && text.split('/').all(is_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::RepositoryName(text.chars().take(300).collect()))
        }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry E2 E3
    #[test]
    fn names_follow_the_grammar_of_the_specification() {
        for good in ["a__b", "a--b", "a---b", "a.b", "a_b", "0", "a/0b", "a/b/c/d/e/f/g/h/i/j"] {
            assert!(good.parse::<RepositoryName>().is_ok(), "{good}");
        }
        let bad =
            ["a___b", "a..b", "-a", "a-", "a/", "a//b", "A", "a.-b", "", "..", "a\\b", "a\0b", "_a", "ä"];
        for bad in bad {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad}");
        }
        assert!("a".repeat(255).parse::<RepositoryName>().is_ok());
        assert!("a".repeat(256).parse::<RepositoryName>().is_err());
    }
}
