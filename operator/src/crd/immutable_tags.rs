//! `spec.immutableTags`: tags that stay what they are. Running pods take it over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tags that neither move nor go once they are set.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ImmutableTags {
    /// In which repositories: patterns such as `team/**`.
    #[schemars(
        length(min = 1, max = 64),
        inner(length(min = 1, max = 255), regex(pattern = r"^[a-z0-9._/*?-]+$"))
    )]
    pub repositories: Vec<String>,
    /// Which tags: patterns such as `v*`.
    #[schemars(
        length(min = 1, max = 64),
        inner(length(min = 1, max = 128), regex(pattern = r"^[a-zA-Z0-9._*?-]+$"))
    )]
    pub tags: Vec<String>,
}
