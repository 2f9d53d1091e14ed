//! `spec.auth.token`: a token in the place of a password with each request.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crd::{duration::Duration, oidc::JwksRef, reference::ca_crt};

/// Clients get a token for their password, and send that with each request. They do so by themselves.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("has(self.builtIn) != has(self.external)").message("set exactly one of builtIn and external"))]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// The registry gives the tokens itself. The operator makes the key that signs them, and replaces it every 30 days: running
    /// pods take that over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_in: Option<BuiltInTokens>,
    /// A token server of yours gives them, and says in each what its user may do. It takes the place of accounts: the
    /// registry has none, not even `preg-pull`. Until the pods are replaced, they have what they had: accounts with their
    /// groups, or the server before with the keys of then, and with either the rules and issuers beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<TokenServer>,
}

/// Tokens of the registry's own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("duration(self.lifetime) >= duration('1m') && duration(self.lifetime) <= duration('24h')")
    .message("lifetime must be 1m to 24h"))]
#[serde(rename_all = "camelCase")]
pub struct BuiltInTokens {
    /// How long a token counts, 1m to 24h: for so long an account that was removed may go on. Of pods that are not replaced yet,
    /// as long as before.
    #[serde(default = "lifetime")]
    pub lifetime: Duration,
}

/// A server that gives tokens. Its public keys are in a ConfigMap, as a JWK set or in certificates.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("has(self.jwksRef) != has(self.rootCertBundleRef)")
    .message("set exactly one of jwksRef and rootCertBundleRef"))]
#[serde(rename_all = "camelCase")]
pub struct TokenServer {
    /// Where clients get tokens: an https URL, for they send their password there.
    #[schemars(length(min = 9, max = 1024), regex(pattern = r"^https://[!#-\[\]-~]+$"))]
    pub realm: String,
    /// What it calls this registry: the claim `aud`.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^[ !#-\[\]-~]+$"))]
    pub service: String,
    /// What it calls itself: the claim `iss`, letter by letter.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^[ !#-\[\]-~]+$"))]
    pub issuer: String,
    /// Its public keys. The operator hands them to the pods whenever they change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_ref: Option<JwksRef>,
    /// Certificates by whose keys it signs. The operator hands them to the pods whenever they change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cert_bundle_ref: Option<RootCertBundleRef>,
}

/// Certificates in a ConfigMap of the same namespace, PEM.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct RootCertBundleRef {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
    /// Its key.
    #[serde(default = "ca_crt")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

fn lifetime() -> Duration {
    "5m".into()
}
