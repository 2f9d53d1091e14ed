//! `spec.warnings`: what clients show to their users. Running pods take it over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What clients show to whoever may do what they ask for.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Warning {
    /// What they show: printable ASCII, in one line, for it goes into a header.
    #[schemars(length(min = 1, max = 4088), regex(pattern = r"^ *[!-~][ -~]*$"))]
    pub text: String,
    /// In which repositories: patterns such as `team/**`; absent: in all, and where none is named.
    // An empty list would look like "nobody" and be absence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(min = 1, max = 64),
        inner(length(min = 1, max = 255), regex(pattern = r"^[a-z0-9._/*?-]+$"))
    )]
    pub repositories: Vec<String>,
}
