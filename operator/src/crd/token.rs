//! `spec.auth.token`: a token in the place of a password with each request.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crd::duration::Duration;

/// Clients get a token for their password, and send that with each request. They do so by themselves.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// The registry gives the tokens itself. The operator makes the key that signs them, and replaces it every 30 days.
    pub built_in: BuiltInTokens,
}

/// Tokens of the registry's own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("duration(self.lifetime) >= duration('1m') && duration(self.lifetime) <= duration('24h')")
    .message("lifetime must be 1m to 24h"))]
#[serde(rename_all = "camelCase")]
pub struct BuiltInTokens {
    /// How long a token counts, 1m to 24h: for so long an account that was removed may go on.
    #[serde(default = "lifetime")]
    pub lifetime: Duration,
}

fn lifetime() -> Duration {
    "5m".into()
}
