//! Every key of the configuration file. Absent sections mean their defaults; unknown keys are errors.
//!
//! Keys spelled as in distribution's `config.yml` mean the same there; those marked *ours* are additions.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::duration::GoDuration;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Version of the file's format: always `0.1`.
    #[serde(default = "format_version")]
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
    /// Who may log in. Absent: everybody may do everything, on loopback only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// The Redis server behind `storage.cache.blobdescriptor: redis`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<Redis>,
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

fn format_version() -> Version {
    Version::V01
}

impl Config {
    /// This configuration with the keys that running servers take over, as `live` has them.
    pub fn with_live(mut self, live: &Self) -> Self {
        self.log.level = live.log.level;
        self.log.accesslog = live.log.accesslog.clone();
        self.storage.delete = live.storage.delete.clone();
        self.storage.maintenance = live.storage.maintenance.clone();
        self.limits = live.limits.clone();
        self
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Section `log`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The least severe level that is written.
    pub level: Level,
    /// Shape of a line.
    pub formatter: Formatter,
    /// One line per request.
    pub accesslog: AccessLog,
}

/// `log.level`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Failures of the registry itself.
    Error,
    /// What an operator should look at.
    #[serde(alias = "warning")]
    Warn,
    /// What happens.
    #[default]
    Info,
    /// Why it happens.
    Debug,
}

/// `log.formatter`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Formatter {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `log.accesslog`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessLog {
    /// No line per request.
    pub disabled: bool,
}

/// Section `storage`. Exactly one of the backends; none of them means `filesystem` in `./data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// Files below one folder, laid out as distribution lays them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filesystem: Option<Filesystem>,
    /// In memory, gone with the process: for tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inmemory: Option<InMemory>,
    /// Whether clients may delete.
    #[serde(skip_serializing_if = "is_default")]
    pub delete: Delete,
    /// A cache of small metadata in front of the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// Work that the store needs now and then.
    #[serde(skip_serializing_if = "is_default")]
    pub maintenance: Maintenance,
}

/// `storage.filesystem`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filesystem {
    /// The folder that holds `docker/registry/v2/`.
    pub rootdirectory: PathBuf,
}

/// `storage.inmemory`: no settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InMemory {}

/// `storage.delete`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delete {
    /// As in distribution, deletion is off unless this says `true`.
    pub enabled: bool,
}

/// `storage.cache`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Where cached metadata lives.
    pub blobdescriptor: CacheKind,
}

/// `storage.cache.blobdescriptor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheKind {
    /// In this process.
    InMemory,
    /// In the Redis server of section `redis`.
    Redis,
}

/// `storage.maintenance`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Maintenance {
    /// Refuse every write.
    pub readonly: ReadOnly,
}

/// `storage.maintenance.readonly`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadOnly {
    /// Pushes and deletes are answered with 405.
    pub enabled: bool,
}

/// Section `http`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// `host:port` of the public listener; an empty host means every address.
    pub addr: String,
    /// TLS of the public listener; absent: plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The admin listener: probes and metrics; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug: Option<Debug>,
    /// How long requests may take to finish after SIGTERM.
    pub draintimeout: GoDuration,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            addr: "127.0.0.1:5000".to_owned(),
            tls: None,
            debug: None,
            draintimeout: GoDuration::from_secs(60),
        }
    }
}

/// `http.tls`: PEM files, re-read when their content changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate, then its intermediates.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// `http.debug`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debug {
    /// `host:port` of `/livez`, `/readyz` and `/metrics`.
    pub addr: String,
}

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

/// Section `redis`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// `host:port` of the server; exactly one.
    pub addrs: Vec<String>,
    /// Account, when the server has ACLs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// A file that holds the password, re-read when its content changes (*ours*).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passwordfile: Option<PathBuf>,
    /// Database number.
    #[serde(default)]
    pub db: u8,
}

/// Section `limits` (*ours*).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest manifest, in bytes.
    pub maxmanifestsize: u64,
    /// Largest blob, in bytes; absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maxblobsize: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { maxmanifestsize: 4 << 20, maxblobsize: None }
    }
}

/// Section `live` (*ours*).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveFile {
    /// A file of the same schema, re-read when its content changes. Of it, the keys `log.level`,
    /// `log.accesslog`, `storage.delete`, `storage.maintenance` and `limits` replace those of the main file.
    pub path: PathBuf,
}
