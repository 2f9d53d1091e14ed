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
    /// The weakest hash that may log in (*ours*).
    #[serde(default, skip_serializing_if = "MinimumHash::is_any")]
    pub minimumhash: MinimumHash,
    /// Accounts that may pull and nothing else (*ours*).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pullonly: Vec<String>,
}

/// `auth.htpasswd.minimumhash`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MinimumHash {
    /// Every hash that is known here.
    #[default]
    Any,
    /// Lines of bcrypt only.
    Bcrypt,
}

impl MinimumHash {
    fn is_any(&self) -> bool {
        *self == Self::Any
    }
}

fn realm() -> String {
    "Registry".to_owned()
}
