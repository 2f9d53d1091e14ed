//! `PrivateRegistry`: one OCI registry of one team.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::crd::{image::Image, logging::Logging, status::PrivateRegistryStatus, storage::Storage};

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
    printcolumn(name = "Cert-Until", type_ = "string", priority = 1, json_path = ".status.certificate.notAfter"),
    printcolumn(name = "Version", type_ = "string", priority = 1, json_path = ".status.versions.operator"),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 40")
        .message("name must be a DNS-1035 label of at most 40 characters: lower-case letters, digits and hyphens, starting with a letter")
)]
#[x_kube(
    validation = Rule::new("self.replicas <= 1 || !has(self.storage.filesystem) || self.storage.filesystem.accessMode == 'ReadWriteMany'")
        .message("more than one replica needs an object store or accessMode ReadWriteMany"),
    validation = Rule::new("self.replicas <= 1 || !has(self.storage.ephemeral)")
        .message("ephemeral storage allows one replica and no autoscaling"))]
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
    /// Names of the registry beside those of its Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Exposure>,
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

/// `spec.exposure`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Exposure {
    /// DNS names in the certificate and the pull Secret; the first one is `status.url`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        inner(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))
    )]
    pub hostnames: Vec<String>,
}
