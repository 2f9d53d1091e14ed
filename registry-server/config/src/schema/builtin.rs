//! Section `auth.token.builtin`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::duration::GoDuration;

/// `auth.token.builtin` (*ours*): this server gives the tokens itself, to the accounts of `auth.htpasswd` and to whom others
/// vouch for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuiltIn {
    /// PEM file of the private key that tokens are signed with, of the curve P-256; re-read when its content changes.
    pub key: PathBuf,
    /// The same of another key, by which tokens may be signed as well: the last one, or the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PathBuf>,
    /// How long a token counts.
    #[serde(default = "lifetime")]
    pub lifetime: GoDuration,
    /// URL at which clients get tokens; absent: `/token` of the host that they have asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
}

fn lifetime() -> GoDuration {
    GoDuration::from_secs(300)
}
