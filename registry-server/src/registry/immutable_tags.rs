//! Tags that stay what they are once they are set.

use globset::GlobMatcher;

use crate::oci::{repository_name::RepositoryName, tag::Tag};

/// Which tags neither move nor go. None, unless told.
#[derive(Clone, Debug, Default)]
pub struct ImmutableTags(Vec<Rule>);

/// Tags of repositories.
#[derive(Clone, Debug)]
pub struct Rule {
    /// In which repositories.
    pub repositories: Vec<GlobMatcher>,
    /// Which tags.
    pub tags: Vec<GlobMatcher>,
}

impl ImmutableTags {
    /// Whatever one of the rules names.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// Whether this tag is one of them.
    pub fn include(&self, name: &RepositoryName, tag: &Tag) -> bool {
        let any = |patterns: &[GlobMatcher], text| patterns.iter().any(|pattern| pattern.is_match(text));
        self.0.iter().any(|rule| any(&rule.tags, tag.as_str()) && any(&rule.repositories, name.as_str()))
    }
}
