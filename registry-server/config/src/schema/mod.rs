//! Every key of the configuration file. Absent sections mean their defaults; unknown keys are errors.
//!
//! Keys spelled as in distribution's `config.yml` mean the same there; those marked *ours* are additions.

mod access;
mod auth;
mod blob_redirect;
mod builtin;
mod http;
mod immutable_tags;
mod limits;
mod log;
mod maintenance;
mod network;
mod pattern;
mod quota;
mod redis;
mod s3;
mod storage;
mod token;
mod tokens;
mod validation;
mod warning;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

pub use self::{
    access::{AccessRule, Action, Effect, Subject},
    auth::{Auth, Htpasswd, MinimumHash},
    blob_redirect::BlobRedirect,
    builtin::BuiltIn,
    http::{ClientAuth, ClientIdentity, Debug, Http, MinimumTls, Redirect, Tls},
    immutable_tags::ImmutableTags,
    limits::Limits,
    log::{AccessLog, AuditLog, Formatter, Level, Log},
    maintenance::{Maintenance, ReadOnly, UploadPurging},
    network::Network,
    pattern::Pattern,
    quota::Quota,
    redis::{Redis, RedisTls},
    s3::{S3, Secret},
    storage::{Cache, CacheKind, Delete, Filesystem, InMemory, Storage},
    token::{SigningAlgorithm, Token},
    tokens::{Oidc, ServiceAccounts},
    validation::{IndexPlatforms, IndexValidation, ManifestValidation, Platform, Presence, Validation},
    warning::Warning,
};

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Version of the file's format: always `0.1`.
    #[serde(default)]
    pub version: Version,
    /// Logs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub log: Log,
    /// Where images are kept.
    #[serde(default, skip_serializing_if = "is_default")]
    pub storage: Storage,
    /// The public and the admin listener.
    #[serde(default, skip_serializing_if = "is_default")]
    pub http: Http,
    /// Networks of proxies whose word about where a request comes from is believed (*ours*).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trustedproxies: Vec<Network>,
    /// Who may log in by a password. Absent, and no `auth.token`: everybody may do everything, on loopback only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Section `auth.token`, which takes the place of `auth.htpasswd` in the file: see [`crate::lifted`].
    #[serde(default, rename = "auth.token", skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// Section `auth.token.builtin`, which stands beside `auth.htpasswd` in the file.
    #[serde(default, rename = "auth.token.builtin", skip_serializing_if = "Option::is_none")]
    pub builtin: Option<BuiltIn>,
    /// Who may do what in which repositories (*ours*). Absent: every account everything, nobody else anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<AccessRule>,
    /// Issuers whose tokens are taken in place of a password (*ours*).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub oidc: Vec<Oidc>,
    /// A Kubernetes cluster whose pods' tokens are taken in place of a password (*ours*).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serviceaccounts: Option<ServiceAccounts>,
    /// Accounts by the name of a group that rules of `access` name (*ours*).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<String>>,
    /// The Redis server behind `storage.cache.blobdescriptor: redis`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<Redis>,
    /// What must be here before a manifest is taken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub validation: Validation,
    /// Tags that stay what they are once they are set (*ours*).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub immutabletags: Vec<ImmutableTags>,
    /// How much repositories may hold (*ours*).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<Quota>,
    /// What clients show to their users (*ours*).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Limits on what clients send (*ours*).
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// A second file, re-read while running (*ours*).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveFile>,
}

/// The one known version of the format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// `0.1`, as in distribution 2 and 3.
    #[default]
    #[serde(rename = "0.1")]
    V01,
}

/// Section `live` (*ours*).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveFile {
    /// A file of the same schema, re-read when its content changes. Of it, the keys `log.level`,
    /// `log.accesslog`, `trustedproxies`, `access`, `groups`, `oidc`, `serviceaccounts`, `storage.delete`, `storage.maintenance`,
    /// `validation`, `immutabletags`, `quotas`, `warnings` and `limits` replace those of the main file.
    /// `storage.initialize` counts in either file, and only at the start.
    pub path: PathBuf,
}

impl Config {
    /// Whether nobody logs in: everybody may do everything.
    pub fn is_open(&self) -> bool {
        self.auth.is_none() && self.token.is_none()
    }

    /// This configuration without the secrets that stand in it.
    pub fn redacted(mut self) -> Self {
        if let Some(s3) = &mut self.storage.s3 {
            s3.accesskey = s3.accesskey.take().map(|_| Secret::redacted());
            s3.secretkey = s3.secretkey.take().map(|_| Secret::redacted());
        }
        self
    }

    /// This configuration with the keys that running servers take over, as `live` has them.
    pub fn with_live(mut self, live: &Self) -> Self {
        self.log.level = live.log.level;
        self.log.accesslog = live.log.accesslog.clone();
        self.storage.delete = live.storage.delete.clone();
        self.storage.initialize |= live.storage.initialize;
        self.storage.maintenance = live.storage.maintenance.clone();
        self.access = live.access.clone();
        self.groups = live.groups.clone();
        self.trustedproxies.clone_from(&live.trustedproxies);
        self.oidc = live.oidc.clone();
        self.serviceaccounts = live.serviceaccounts.clone();
        self.validation = live.validation.clone();
        self.immutabletags = live.immutabletags.clone();
        self.limits = live.limits.clone();
        self.warnings.clone_from(&live.warnings);
        self.quotas.clone_from(&live.quotas);
        self
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
