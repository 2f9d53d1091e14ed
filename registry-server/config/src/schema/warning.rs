//! Section `warnings`.

use serde::{Deserialize, Serialize};

use crate::schema::Pattern;

/// An entry of `warnings` (*ours*): something that clients show to their users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// What they show: printable ASCII.
    pub text: String,
    /// Where; absent: in every repository, and where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<Pattern>,
}
