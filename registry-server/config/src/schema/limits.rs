//! Section `limits`.

use serde::{Deserialize, Serialize};

/// Section `limits` (*ours*).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest manifest, in bytes.
    pub maxmanifestsize: u64,
    /// Largest blob, in bytes; absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maxblobsize: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { maxmanifestsize: 4 << 20, maxblobsize: None }
    }
}
