//! One registry, resolved: what the builders read. Made by `resolve`, never changed.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use crate::{
    crd::{
        auth::User,
        cache::{ExternalRedis, ManagedRedis},
        exposure::{HttpRedirect, Service},
        registry::PrivateRegistrySpec,
        tls::SelfSigned,
        token::{BuiltInTokens, TokenServer},
    },
    private_registry::names::Names,
};

/// One registry, with all that its children are made of.
#[derive(Clone, Debug)]
pub struct Model {
    /// Names of the children.
    pub names: Names,
    /// What the user asked for.
    pub spec: PrivateRegistrySpec,
    /// The object as owner.
    pub owner: OwnerReference,
    /// Image of the registry pods.
    pub image: String,
    /// Image of a managed Redis.
    pub redis_image: String,
    /// Namespace of the operator, which may reach the admin port.
    pub operator_namespace: String,
    /// Where images are kept, as the object says.
    pub store: Store,
    /// Where the certificate comes from.
    pub tls: TlsSource,
    /// The cache in front of the store.
    pub cache: CacheKind,
    /// Accounts that the operator keeps.
    pub users: Vec<User>,
    /// The Service in front of the pods.
    pub service: Service,
    /// What the user asked for by annotation.
    pub wishes: Wishes,
}

/// A place for images. Its text is what annotations record and confirm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Store {
    /// The operator's own claim.
    OwnClaim(String),
    /// A claim of the user's.
    ExistingClaim(String),
    /// A volume that goes with its pod.
    #[default]
    Ephemeral,
}

impl Store {
    /// The claim, where there is one.
    pub fn claim(&self) -> Option<&str> {
        match self {
            Self::OwnClaim(name) | Self::ExistingClaim(name) => Some(name),
            Self::Ephemeral => None,
        }
    }
}

impl std::fmt::Display for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.claim() {
            Some(name) => write!(f, "claim/{name}"),
            None => f.write_str("ephemeral"),
        }
    }
}

/// `spec.tls`, with what absence means.
#[derive(Clone, Debug, PartialEq)]
pub enum TlsSource {
    /// A CA of the registry's own.
    SelfSigned(SelfSigned),
    /// A Secret of the user's.
    Provided(String),
    /// Plain HTTP.
    Disabled,
}

/// `spec.cache`, with what absence means.
#[derive(Clone, Debug, PartialEq)]
pub enum CacheKind {
    /// A Redis of the registry's own.
    ManagedRedis(ManagedRedis),
    /// A Redis of the user's.
    ExternalRedis(ExternalRedis),
    /// In each pod, so many bytes.
    Memory(u64),
    /// None.
    None,
}

/// Annotations of the object that ask for something: `privateregistry.dev/<key>`, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes(BTreeMap<String, String>);

impl Wishes {
    /// Those among `annotations`.
    pub fn of(annotations: &BTreeMap<String, String>) -> Self {
        let ours = annotations.iter().filter_map(|(key, value)| {
            Some((key.strip_prefix("privateregistry.dev/")?.to_owned(), value.clone()))
        });
        Self(ours.collect())
    }

    /// No write to any child.
    pub fn paused(&self) -> bool {
        self.value("paused") == Some("true")
    }

    /// Rotate the CA once for each new value.
    pub fn rotate_ca(&self) -> Option<&str> {
        self.value("rotate-ca")
    }

    /// Replace every generated password once for each new value.
    pub fn rotate_credentials(&self) -> Option<&str> {
        self.value("rotate-credentials")
    }

    /// The object of this uid may be taken over.
    pub fn adopt(&self) -> Option<&str> {
        self.value("adopt")
    }

    /// The store that may replace the one in use.
    pub fn accept_storage(&self) -> Option<&str> {
        self.value("accept-storage")
    }

    /// The claim, by uid, that may be used although it is not the one in use, or empty.
    pub fn accept_empty_store(&self) -> Option<&str> {
        self.value("accept-empty-store")
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

impl Model {
    /// Pods that are wanted.
    pub fn replicas(&self) -> i32 {
        if self.spec.suspend { 0 } else { self.spec.replicas }
    }

    /// Names that the user gave.
    pub fn hostnames(&self) -> Vec<String> {
        self.spec.exposure.clone().unwrap_or_default().hostnames
    }

    /// DNS names of the certificate and the pull Secret; the user's come first.
    pub fn hosts(&self) -> Vec<String> {
        let mut hosts = self.hostnames();
        hosts.extend(self.names.service_hosts());
        hosts
    }

    /// Names that a certificate of the user's must cover: theirs, or that of the Service.
    pub fn required_hosts(&self) -> Vec<String> {
        let hostnames = self.hostnames();
        if hostnames.is_empty() { vec![self.names.service_host()] } else { hostnames }
    }

    /// Whether the registry itself speaks TLS.
    pub fn encrypted(&self) -> bool {
        self.tls != TlsSource::Disabled
    }

    /// How the registry gives tokens, where it does.
    pub fn tokens(&self) -> Option<&BuiltInTokens> {
        self.spec.auth.as_ref()?.token.as_ref()?.built_in.as_ref()
    }

    /// Who gives tokens in the place of accounts, of which the registry has none then.
    pub fn token_server(&self) -> Option<&TokenServer> {
        self.spec.auth.as_ref()?.token.as_ref()?.external.as_ref()
    }

    /// Port of the Service.
    pub fn port(&self) -> i32 {
        self.service.port.unwrap_or(if self.encrypted() { 443 } else { 80 })
    }

    /// Whether port 80 leads to https.
    pub fn redirects(&self) -> bool {
        self.encrypted() && self.service.http_redirect == HttpRedirect::Enabled
    }

    /// `host` as a URL.
    pub fn url_of(&self, host: &str) -> String {
        self.url_at(host, self.port())
    }

    /// `host` as a URL at `port`.
    pub fn url_at(&self, host: &str, port: i32) -> String {
        if self.encrypted() {
            return format!("https://{}", at(host, port, 443));
        }
        format!("http://{}", at(host, port, 80))
    }

    /// Every `host` and `host:port` that clients write; `now` is the port of the Service as it is, `node_port` that on
    /// every node, where it has one.
    pub fn authorities(&self, addresses: &[String], now: Option<i32>, node_port: Option<i32>) -> Vec<String> {
        let hosts = || self.hosts().into_iter().chain(addresses.iter().cloned());
        let of = |port: &i32| hosts().map(|host| at(&host, *port, 443)).collect::<Vec<_>>();
        let mut all: Vec<String> = [self.port()].iter().chain(&now).flat_map(of).collect();
        all.extend(
            node_port
                .into_iter()
                .flat_map(|port| self.hostnames().into_iter().map(move |host| at(&host, port, 443))),
        );
        all
    }

    /// Where clients go.
    pub fn url(&self) -> String {
        self.url_of(&self.hostnames().first().cloned().unwrap_or_else(|| self.names.service_host()))
    }
}

/// `host` at `port`, which is left out when it is the usual one.
fn at(host: &str, port: i32, usual: i32) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if port == usual { host } else { format!("{host}:{port}") }
}
