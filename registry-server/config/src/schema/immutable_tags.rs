//! Section `immutabletags`.

use serde::{Deserialize, Serialize};

use crate::schema::Pattern;

/// An entry of `immutabletags` (*ours*): tags that stay what they are once they are set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImmutableTags {
    /// In which repositories.
    pub repositories: Vec<Pattern>,
    /// Which tags.
    pub tags: Vec<Pattern>,
}
