//! Section `quotas`.

use serde::{Deserialize, Serialize};

use crate::schema::Pattern;

/// An entry of `quotas` (*ours*): how much each of these repositories may hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Which repositories.
    pub repositories: Vec<Pattern>,
    /// Most bytes of one of them: its blobs and manifests, each once.
    pub maxsize: u64,
}
