//! Section `redis`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Section `redis`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// `host:port` of the server. With `mastername`: of its Sentinels. Several without: of nodes of a cluster.
    pub addrs: Vec<String>,
    /// Account, when the server has ACLs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// A file that holds the account, read for every new connection (*ours*).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usernamefile: Option<PathBuf>,
    /// A file that holds the password, read for every new connection (*ours*).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passwordfile: Option<PathBuf>,
    /// What the Sentinels call the master.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mastername: Option<String>,
    /// Account at the Sentinels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentinelusername: Option<String>,
    /// A file that holds the account at the Sentinels, read for every new connection (*ours*).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentinelusernamefile: Option<PathBuf>,
    /// A file that holds the password at the Sentinels, read for every new connection (*ours*).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentinelpasswordfile: Option<PathBuf>,
    /// Database number. A cluster has only number 0.
    #[serde(default)]
    pub db: u8,
    /// TLS to all these servers; absent: plain TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<RedisTls>,
}

/// `redis.tls`: PEM files, read for every new connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisTls {
    /// Our certificate, if the server asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// The key of our certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Certificates of the authorities that may have signed the server's certificate.
    pub clientcas: Vec<PathBuf>,
}
