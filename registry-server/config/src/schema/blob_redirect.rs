//! Section `storage.redirect`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    duration::GoDuration,
    schema::{Network, is_default},
};

/// `storage.redirect`: clients fetch blobs from the object store itself. Without the section they do not, other than in
/// distribution: not every client reaches the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlobRedirect {
    /// Whether the server sends everything itself after all.
    #[serde(skip_serializing_if = "is_default")]
    pub disable: bool,
    /// How long an address is good for (*ours*).
    #[serde(skip_serializing_if = "is_default_expiry")]
    pub expiry: GoDuration,
    /// URL of the store as clients reach it (*ours*). Absent: as the server reaches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publicendpoint: Option<String>,
    /// Networks of clients that do not reach the store (*ours*): the server sends them everything itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptfrom: Vec<Network>,
}

impl Default for BlobRedirect {
    fn default() -> Self {
        Self { disable: false, expiry: expiry(), publicendpoint: None, exceptfrom: Vec::new() }
    }
}

const fn expiry() -> GoDuration {
    GoDuration(Duration::from_secs(20 * 60))
}

fn is_default_expiry(value: &GoDuration) -> bool {
    *value == expiry()
}
