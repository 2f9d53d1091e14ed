//! Patterns of names.

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

/// As long as a repository's name; what is longer could take too much memory.
const LONGEST: usize = 255;

/// A pattern of names, of repositories or others, or of tags: `*` stands for any text within one component of a name, `?` for one
/// character, `**` as a whole component for any number of them, `{a,b}` for either, `[a-z]` for one of these.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(GlobMatcher);

impl Pattern {
    /// What finds it in names.
    pub fn matcher(&self) -> &GlobMatcher {
        &self.0
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.glob() == other.0.glob()
    }
}

impl Eq for Pattern {}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            return Err("an empty pattern matches nothing".to_owned());
        }
        if text.len() > LONGEST {
            return Err(format!("a pattern has at most {LONGEST} bytes"));
        }
        let glob = GlobBuilder::new(&text).literal_separator(true).build();
        glob.map(|glob| Self(glob.compile_matcher())).map_err(|error| error.to_string())
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0.glob().glob().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stays_within_components_unless_told() {
        for (pattern, name, expected) in [
            ("team/**", "team/a", true),
            ("team/**", "team/a/b", true),
            ("team/**", "team", false),
            ("team/**", "teams/a", false),
            ("team/*", "team/a", true),
            ("team/*", "team/a/b", false),
            ("**", "a/b/c", true),
            ("**/release", "a/b/release", true),
            ("**/release", "release", true),
            ("v*", "v1.2.0", true),
            ("v*", "dev", false),
            ("v?", "v1", true),
            ("{stable,v[0-9]*}", "v1", true),
            ("{stable,v[0-9]*}", "vx", false),
            ("a.b", "aXb", false),
        ] {
            let pattern = Pattern::try_from(pattern.to_owned()).unwrap();
            assert_eq!(pattern.matcher().is_match(name), expected, "{pattern:?} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, why) in [
            ("", "empty"),
            ("a[", "unclosed"),
            ("{a", "unclosed"),
            ("[z-a]", "range"),
            (&"x".repeat(256), "255"),
        ] {
            let error = Pattern::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
