//! Section `auth`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Section `auth`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Accounts of an Apache password file.
    pub htpasswd: Htpasswd,
}

/// `auth.htpasswd`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Htpasswd {
    /// What the challenge calls this registry.
    #[serde(default = "realm")]
    pub realm: String,
    /// The file, re-read when its content changes.
    pub path: PathBuf,
    /// Accounts that may pull and nothing else (*ours*).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pullonly: Vec<String>,
}

fn realm() -> String {
    "Registry".to_owned()
}
