//! `spec.auth.access`: who may do what in which repositories. Running pods take it over.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may do what, or may not.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("self.effect == 'Deny' || !('anonymous' in self.subjects) || self.actions.all(one, one in ['Pull', 'List'])")
    .message("anonymous may be allowed Pull and List only"))]
#[serde(rename_all = "camelCase")]
pub struct AccessRule {
    /// `anonymous`, `authenticated`, `user:NAME`, `group:NAME`, `serviceaccount:NAMESPACE/NAME` and, of an issuer of `auth.oidc`,
    /// `oidc:ISSUER:USER` and `group:oidc:ISSUER:GROUP`, and with `tls.clientCARef` `cert:NAME`. Namespaces, service accounts,
    /// users of issuers and names in certificates may be patterns such as `*`.
    #[schemars(
        length(min = 1, max = 64),
        inner(
            length(min = 1, max = 255),
            regex(
                pattern = r"^(anonymous|authenticated|(user|group):[^\s:]+|serviceaccount:[a-z0-9.*?-]+/[a-z0-9.*?-]+|oidc:[a-z0-9-]+:\S+|cert:\S+|group:oidc:[a-z0-9-]+:\S(.*\S)?)$"
            )
        )
    )]
    pub subjects: Vec<String>,
    /// In which repositories: patterns such as `team/**`.
    #[schemars(
        length(min = 1, max = 64),
        inner(length(min = 1, max = 255), regex(pattern = r"^[a-z0-9._/*?-]+$"))
    )]
    pub repositories: Vec<String>,
    /// What.
    #[schemars(length(min = 1, max = 4))]
    pub actions: Vec<Action>,
    /// Whether it is allowed, or denied whatever other rules say.
    #[serde(default)]
    pub effect: Effect,
}

/// `auth.access[].actions[]`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read images and what refers to them.
    Pull,
    /// Write them.
    Push,
    /// Delete them.
    Delete,
    /// See tags, and the repository in lists.
    List,
}

/// `auth.access[].effect`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// It is allowed, unless another rule denies it.
    #[default]
    Allow,
    /// It is denied, whatever other rules say.
    Deny,
}
