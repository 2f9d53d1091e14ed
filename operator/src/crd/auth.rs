//! `spec.auth`: who may log in. Absent: `admin`, whose password is generated.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crd::{
    access::AccessRule,
    duration::Duration,
    oidc::Oidc,
    reference::{HtpasswdRef, PasswordRef},
    token::Token,
};

/// Who may log in.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("has(self.serviceAccounts) || !has(self.access) || !self.access.exists(rule, \
    rule.subjects.exists(subject, subject.startsWith('serviceaccount:')))")
    .message("rules for service accounts need auth.serviceAccounts"),
    validation = Rule::new("!has(self.token) || !has(self.token.external) || !has(self.htpasswd)")
        .message("auth.token.external takes the place of auth.htpasswd: leave one of them out"),
    validation = Rule::new("!has(self.token) || !has(self.token.external) || !has(self.access) || !self.access.exists(rule, \
        rule.subjects.exists(subject, subject.startsWith('group:') && !subject.startsWith('group:oidc:')))")
        .message("with auth.token.external nobody is in a group: rules name the users of its tokens as user:NAME"))]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// Accounts with passwords. Running pods take it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub htpasswd: Option<Htpasswd>,
    /// Clients send a token with each request; absent: the password. Pods are replaced for it, and go on as they are until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// Tokens of this cluster's service accounts are taken in place of a password; absent: they are not. Running pods take it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_accounts: Option<ServiceAccounts>,
    /// Issuers whose tokens are taken in place of a password, by name. Running pods take it over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_string()]))]
    #[schemars(length(max = 16))]
    pub oidc: Vec<Oidc>,
    /// Who may do what in which repositories, in any order; absent: every account everything. Running pods take it over.
    // An empty list would look like "nobody" and be absence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 128))]
    pub access: Vec<AccessRule>,
}

/// Tokens of this cluster's service accounts, as the password of any name. Pods ask for one with our audience, and rules of
/// `auth.access` say what they may do: without rules, nothing.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccounts {
    /// A token is taken when it was made for one of these, such as the registry's host name.
    #[schemars(length(min = 1, max = 8), inner(length(min = 1, max = 253), regex(pattern = r"^[!-~]+$")))]
    pub audiences: Vec<String>,
}

/// Accounts with passwords: listed here, in a password file of your own, or both.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("(has(self.users) && self.users.size() > 0) || has(self.secretRef)")
    .message("set users, secretRef or both"))]
#[serde(rename_all = "camelCase")]
pub struct Htpasswd {
    /// Accounts that the operator keeps, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_string()]))]
    #[schemars(length(max = 256))]
    pub users: Vec<User>,
    /// A password file of your own, merged with the accounts above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<HtpasswdRef>,
    /// The weakest hash that may log in, of the lines of that file.
    #[serde(default)]
    pub minimum_hash: MinimumHash,
}

/// One account.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(
    validation = Rule::new("!self.name.startsWith('preg-')").message("names that start with preg- are the operator's own"),
    validation = Rule::new("!has(self.rotateEvery) || !has(self.passwordSecretRef)")
        .message("rotateEvery is for generated passwords: leave passwordSecretRef out, or rotate that Secret yourself"),
    validation = Rule::new("!has(self.rotateEvery) || duration(self.rotateEvery) > duration(self.overlap)")
        .message("rotateEvery must be longer than overlap"),
    validation = Rule::new("!has(self.rotateEvery) || duration(self.rotateEvery) >= duration('1h')")
        .message("rotateEvery must be at least 1h: pods need time to follow"))]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// A DNS label; other names go into a password file of your own.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Groups that rules of `auth.access` may name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 249), regex(pattern = r"^[^\s:]+$")))]
    pub groups: Vec<String>,
    /// Its password; absent: one is generated into the Secret `<registry>.<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<PasswordRef>,
    /// A new password is generated this often; absent: only when the annotation `rotate-credentials` asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_every: Option<Duration>,
    /// How long the password before works beside the new one.
    #[serde(default = "overlap")]
    pub overlap: Duration,
}

impl User {
    /// An account called `name` with a generated password.
    pub fn generated(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            groups: Vec::new(),
            password_secret_ref: None,
            rotate_every: None,
            overlap: overlap(),
        }
    }
}

fn overlap() -> Duration {
    "24h".into()
}

/// `auth.htpasswd.minimumHash`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinimumHash {
    /// Whatever the registry can verify; weak lines are reported.
    #[default]
    Any,
    /// Lines that are not bcrypt do not log in.
    Bcrypt,
}
