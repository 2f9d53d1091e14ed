//! `PrivateRegistry`: one OCI registry of one team.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::crd::{
    auth::Auth, cache::Cache, duration::Duration, exposure::Exposure, image::Image,
    immutable_tags::ImmutableTags, limits::Limits, logging::Logging, network_policy::NetworkPolicy, pod::Pod,
    quota::Quota, status::PrivateRegistryStatus, storage::Storage, tls::Tls, warning::Warning,
};

/// A private OCI registry: server, TLS, accounts and storage in one object.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "privateregistry.dev",
    version = "v1alpha1",
    kind = "PrivateRegistry",
    plural = "privateregistries",
    namespaced,
    status = "PrivateRegistryStatus",
    shortname = "preg",
    category = "all",
    derive = "PartialEq",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.url"),
    printcolumn(name = "Storage", type_ = "string", json_path = ".status.storage.backend"),
    printcolumn(name = "Replicas", type_ = "integer", json_path = ".status.readyReplicas"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Used", type_ = "string", priority = 1, json_path = ".status.storage.used"),
    printcolumn(name = "Cert-Until", type_ = "string", priority = 1, json_path = ".status.certificate.notAfter"),
    printcolumn(name = "Version", type_ = "string", priority = 1, json_path = ".status.versions.registry"),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 40")
        .message("name must be a DNS-1035 label of at most 40 characters: lower-case letters, digits and hyphens, starting with a letter")
)]
#[x_kube(
    validation = Rule::new("self.replicas <= 1 || !has(self.storage.filesystem) || has(self.storage.filesystem.existingClaimName) || self.storage.filesystem.accessMode == 'ReadWriteMany'")
        .message("more than one replica needs an object store or accessMode ReadWriteMany"),
    validation = Rule::new("self.replicas <= 1 || !has(self.storage.ephemeral)")
        .message("ephemeral storage allows one replica and no autoscaling"),
    validation = Rule::new("!has(self.tls) || !has(self.tls.disabled) || !has(self.exposure) || !has(self.exposure.service) || self.exposure.service.type == 'ClusterIP'")
        .message("tls.disabled is allowed behind a ClusterIP Service only"),
    validation = Rule::new("!has(self.tls) || !has(self.tls.disabled) || !has(self.exposure) || !has(self.exposure.service) || self.exposure.service.httpRedirect == 'Disabled'")
        .message("httpRedirect needs TLS"),
    // As headers: eight bytes around each, and a backslash before a quote or a backslash.
    validation = Rule::new("!has(self.warnings) || self.warnings.map(one, 8 + one.text.replace('\"', '--').replace('\\\\', '--').size()).sum() <= 4096")
        .message("warnings must be at most 4096 bytes as headers: clients ignore more"),
    validation = Rule::new("!has(self.tls) || !has(self.tls.disabled) || !has(self.auth) || !has(self.auth.token) || !has(self.auth.token.builtIn)")
        .message("auth.token.builtIn needs TLS: clients would be told to send passwords to an http address"))]
#[serde(rename_all = "camelCase")]
pub struct PrivateRegistrySpec {
    /// Registry pods.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 100))]
    pub replicas: i32,
    /// No pods; everything else stays.
    #[serde(default)]
    pub suspend: bool,
    /// Pushes and deletes are refused; running pods take it over.
    #[serde(default)]
    pub read_only: bool,
    /// What becomes of volume, accounts and CA when this object goes.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// Whether clients may delete images; running pods take it over.
    #[serde(default)]
    pub image_deletion: ImageDeletion,
    /// The registry's image; absent: the operator's release decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// What the registry logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,
    /// Where images are kept: exactly one place.
    pub storage: Storage,
    /// Where small metadata is kept close; absent: a Redis of the registry's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// Where the certificate comes from; absent: a CA of the registry's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Who may log in; absent: `admin`, whose password is generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Names of the registry beside those of its Service, and that Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Exposure>,
    /// Who may reach the pods, and what they may reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_policy: Option<NetworkPolicy>,
    /// Tags that neither move nor go once they are set; running pods take it over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub immutable_tags: Vec<ImmutableTags>,
    /// What clients show to their users; running pods take it over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub warnings: Vec<Warning>,
    /// How much repositories may hold; running pods take it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// How much clients may send; running pods take it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// How long requests may take to finish when a pod ends.
    #[serde(default = "drain_timeout")]
    pub drain_timeout: Duration,
    /// Where and how the pods run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<Pod>,
}

fn drain_timeout() -> Duration {
    "5m".into()
}

fn one() -> i32 {
    1
}

/// `spec.deletionPolicy`.
#[derive(schemars::JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// They stay, for an object of the same name to take up.
    #[default]
    Retain,
    /// They go, too.
    Delete,
}

/// `spec.imageDeletion`.
#[derive(schemars::JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageDeletion {
    /// Tags, manifests and blobs can be deleted.
    #[default]
    Enabled,
    /// Deletes are answered with 405.
    Disabled,
}
