//! `spec.auth.oidc`: issuers whose tokens count as a login.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An issuer whose tokens are taken as the password of any name, such as that of a CI system. Rules of `auth.access` say
/// what its users may do: without rules, nothing.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Oidc {
    /// What rules and logs call it: a DNS label, as in `oidc:NAME:USER` and `group:oidc:NAME:GROUP`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// The claim `iss` of its tokens, letter by letter: an https URL.
    #[schemars(length(min = 9, max = 1024), regex(pattern = r"^https://[!-~]+$"))]
    pub issuer: String,
    /// A token is taken when it was made for one of these, such as the registry's host name.
    #[schemars(length(min = 1, max = 8), inner(length(min = 1, max = 253), regex(pattern = r"^[!-~]+$")))]
    pub audiences: Vec<String>,
    /// Its public keys. The operator hands them to the pods whenever they change.
    pub jwks_ref: JwksRef,
    /// The claim that names the user.
    #[serde(default = "subject")]
    #[schemars(length(min = 1, max = 253))]
    pub username_claim: String,
    /// The claim with the user's groups; absent: users of this issuer are in no group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub groups_claim: Option<String>,
    /// Claims that a token must have, each with its text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub required_claims: BTreeMap<String, String>,
}

/// A JWK set in a ConfigMap of the same namespace.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct JwksRef {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
    /// Its key.
    #[serde(default = "jwks_json")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

fn jwks_json() -> String {
    "jwks.json".to_owned()
}

fn subject() -> String {
    "sub".to_owned()
}
