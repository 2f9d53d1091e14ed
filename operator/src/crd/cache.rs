//! `spec.cache`: where small metadata is kept close. Absent: a Redis of the registry's own.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crd::{
    quantity::{Quantity, Resources},
    reference::{CaBundleRef, NameRef},
};

/// Exactly one kind of cache.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("(has(self.redis) ? 1 : 0) + (has(self.memory) ? 1 : 0) + (has(self.none) ? 1 : 0) == 1")
    .message("set exactly one of redis, memory and none"))]
pub struct Cache {
    /// A Redis server. Its loss costs speed only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<Redis>,
    /// In each registry pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// No cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none: Option<NoCache>,
}

/// `cache.none`: no settings.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct NoCache {}

/// `cache.memory`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("!has(self.maxSize) || (isQuantity(string(self.maxSize)) && quantity(string(self.maxSize)).compareTo(quantity('1')) >= 0)")
    .message("maxSize must be a quantity above 0, such as 64Mi"))]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// Most that it holds, in each pod.
    #[serde(default = "memory_size")]
    pub max_size: Quantity,
}

fn memory_size() -> Quantity {
    Quantity("64Mi".into())
}

/// A Redis server: the operator's or yours.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("has(self.managed) != has(self.external)").message("set exactly one of managed and external"))]
pub struct Redis {
    /// A Redis for this registry alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<ManagedRedis>,
    /// A Redis of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalRedis>,
}

/// A Redis for this registry alone: no persistence, `allkeys-lru`, a password of its own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("!has(self.maxMemory) || (isQuantity(string(self.maxMemory)) && quantity(string(self.maxMemory)).compareTo(quantity('8Mi')) >= 0)")
    .message("maxMemory must be a quantity of at least 8Mi, such as 256Mi"))]
#[serde(rename_all = "camelCase")]
pub struct ManagedRedis {
    /// `maxmemory`; at most three quarters of the container's memory limit are used.
    #[serde(default = "redis_memory")]
    pub max_memory: Quantity,
    /// Resources of its container; absent: a limit of one and a half times `maxMemory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Its image; absent: the operator's release decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
}

impl Default for ManagedRedis {
    fn default() -> Self {
        Self { max_memory: redis_memory(), resources: None, image: None }
    }
}

fn redis_memory() -> Quantity {
    Quantity("256Mi".into())
}

/// How the servers of a Redis of your own belong together.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedisMode {
    /// One server.
    #[default]
    Standalone,
    /// A master and its replicas, under Sentinels that know which is which.
    Sentinel,
    /// A Redis Cluster: each server has its share of the keys.
    Cluster,
}

/// A Redis of your own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(
    validation = Rule::new("self.mode != 'Standalone' || self.addresses.size() == 1")
        .message("mode Standalone takes one address"),
    validation = Rule::new("self.mode != 'Cluster' || self.addresses.size() >= 2")
        .message("mode Cluster takes the addresses of two nodes or more"),
    validation = Rule::new("has(self.sentinelMaster) == (self.mode == 'Sentinel')")
        .message("sentinelMaster goes with mode Sentinel"),
    validation = Rule::new("!has(self.sentinelCredentialsSecretRef) || self.mode == 'Sentinel'")
        .message("sentinelCredentialsSecretRef goes with mode Sentinel"),
    validation = Rule::new("self.addresses.all(address, int(address.substring(address.lastIndexOf(':') + 1)) >= 1 && int(address.substring(address.lastIndexOf(':') + 1)) <= 65535)")
        .message("each address ends in a port from 1 to 65535"),
    validation = Rule::new("self.mode != 'Cluster' || self.database == 0")
        .message("a Redis Cluster has database 0 only"))]
#[serde(rename_all = "camelCase")]
pub struct ExternalRedis {
    /// How the servers belong together.
    #[serde(default)]
    pub mode: RedisMode,
    /// `host:port` of the server; with mode Sentinel, of the Sentinels; with mode Cluster, of some nodes.
    #[schemars(
        length(min = 1, max = 16),
        inner(length(min = 3, max = 259), regex(pattern = r"^[^:\s]+:[0-9]{1,5}$"))
    )]
    pub addresses: Vec<String>,
    /// What the Sentinels call the master.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^\S+$"))]
    pub sentinel_master: Option<String>,
    /// Number of the database.
    #[serde(default)]
    #[schemars(range(min = 0, max = 15))]
    pub database: u8,
    /// A Secret with `password` and, where the server has accounts, `username`. Running pods take changes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<NameRef>,
    /// The same for the Sentinels, where they ask for a login of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentinel_credentials_secret_ref: Option<NameRef>,
    /// TLS to all of them; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<RedisTls>,
}

/// TLS to a Redis of your own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RedisTls {
    /// The CA that signed its certificate.
    pub ca_bundle_ref: CaBundleRef,
    /// A client certificate: a Secret of type `kubernetes.io/tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_ref: Option<NameRef>,
}
