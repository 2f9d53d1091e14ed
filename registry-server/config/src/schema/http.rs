//! Section `http`.

use std::{num::NonZeroU32, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{duration::GoDuration, schema::is_default};

/// At rest, over TLS, so many take 440 MiB.
const MAX_CONNECTIONS: NonZeroU32 = NonZeroU32::new(12_000).unwrap();

fn is_usual(connections: &NonZeroU32) -> bool {
    *connections == MAX_CONNECTIONS
}

/// Section `http`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// `host:port` of the public listener; an empty host means every address.
    pub addr: String,
    /// URL at which clients reach the registry: with it, nothing is pushed to a name that is too long for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// TLS of the public listener; absent: plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The admin listener: probes and metrics; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug: Option<Debug>,
    /// A plain listener that leads to the public one (*ours*); absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// How long requests may take to finish after SIGTERM.
    pub draintimeout: GoDuration,
    /// Most connections to the public listener at a time (*ours*). Who finds no place waits for one.
    #[serde(skip_serializing_if = "is_usual")]
    pub maxconnections: NonZeroU32,
}

impl Http {
    /// Of `host`, what stands before a repository's name in a reference: a host, perhaps with a port. Nothing, if that cannot
    /// be read.
    pub fn authority(&self) -> Option<&str> {
        let url = self.host.as_deref()?;
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        ((1..=200).contains(&rest.len()) && rest.bytes().all(plain)).then_some(rest)
    }
}

impl Http {
    /// The same of a `host` at which clients come by TLS.
    pub fn secure_authority(&self) -> Option<&str> {
        self.authority().filter(|_| self.host.as_deref().is_some_and(|url| url.starts_with("https://")))
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            addr: "127.0.0.1:5000".to_owned(),
            host: None,
            tls: None,
            debug: None,
            redirect: None,
            draintimeout: GoDuration::from_secs(60),
            maxconnections: MAX_CONNECTIONS,
        }
    }
}

/// `http.tls`: PEM files, re-read when their content changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate, then its intermediates.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// The oldest version of the protocol that is spoken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub minimumtls: MinimumTls,
    /// Certificates of the authorities whose clients may connect; none: clients show no certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clientcas: Vec<PathBuf>,
    /// What is asked of clients when there are `clientcas`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub clientauth: ClientAuth,
    /// Which name in a client's certificate says who it is (*ours*); `none`: a certificate opens the door and names nobody.
    #[serde(default, skip_serializing_if = "is_default")]
    pub clientidentity: ClientIdentity,
}

/// `http.tls.minimumtls`. Older versions are not implemented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MinimumTls {
    /// TLS 1.2 and 1.3.
    #[default]
    #[serde(rename = "tls1.2")]
    V12,
    /// TLS 1.3 alone.
    #[serde(rename = "tls1.3")]
    V13,
}

/// `http.tls.clientauth`. Certificates that nobody verifies are not asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuth {
    /// Every client shows a certificate of a known authority.
    #[default]
    RequireAndVerifyClientCert,
    /// A client that shows a certificate shows one of a known authority.
    VerifyClientCertIfGiven,
}

/// `http.tls.clientidentity` (*ours*): a kind of subject alternative name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientIdentity {
    /// Nobody is named.
    #[default]
    None,
    /// A URI, such as a SPIFFE id.
    Uri,
    /// A host name.
    Dns,
    /// A mail address.
    Email,
}

/// `http.debug`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debug {
    /// `host:port` of `/livez`, `/readyz` and `/metrics`.
    pub addr: String,
}

/// `http.redirect` (*ours*): every request is answered with 301 to https.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// `host:port` of the plain listener.
    pub addr: String,
    /// Port at which clients reach the public listener.
    #[serde(default = "https")]
    pub port: u16,
}

fn https() -> u16 {
    443
}
