//! Sections `oidc` and `serviceaccounts`: whose tokens count as a login.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

/// An entry of `oidc` (*ours*): an issuer whose tokens are taken in place of a password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// What rules and logs call it: `oidc:NAME:USER`, `group:oidc:NAME:GROUP`.
    pub name: String,
    /// The claim `iss` of its tokens, letter by letter.
    pub issuer: String,
    /// One of these must be in the claim `aud`.
    pub audiences: Vec<String>,
    /// A file with its public keys, a JWK set; re-read when its content changes.
    pub jwks: PathBuf,
    /// The claim that names the user.
    #[serde(default = "subject")]
    pub usernameclaim: String,
    /// The claim that names the user's groups; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groupsclaim: Option<String>,
    /// Claims that a token must have, with these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requiredclaims: BTreeMap<String, String>,
}

/// `serviceaccounts` (*ours*): tokens that a Kubernetes cluster gives to its pods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccounts {
    /// The claim `iss` of its tokens, letter by letter.
    pub issuer: String,
    /// One of these must be in the claim `aud`.
    pub audiences: Vec<String>,
    /// A file with the cluster's public keys, a JWK set; re-read when its content changes.
    pub jwks: PathBuf,
}

fn subject() -> String {
    "sub".to_owned()
}
