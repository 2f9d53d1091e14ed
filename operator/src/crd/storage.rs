//! `spec.storage`: exactly one place for images.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::crd::quantity::Quantity;

/// Where images are kept.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("(has(self.filesystem) ? 1 : 0) + (has(self.ephemeral) ? 1 : 0) == 1")
    .message("set exactly one of filesystem and ephemeral"))]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// A persistent volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filesystem: Option<Filesystem>,
    /// A volume that goes with its pod: for tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral: Option<Ephemeral>,
}

/// A persistent volume: one of the registry's own, or a claim that is there already.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(
    validation = Rule::new("has(self.size) != has(self.existingClaimName)")
        .message("set exactly one of size and existingClaimName"),
    validation = Rule::new("!has(self.size) || (isQuantity(string(self.size)) && quantity(string(self.size)).compareTo(quantity('1')) >= 0)")
        .message("size must be a quantity above 0, such as 20Gi"),
    validation = Rule::new("!has(self.existingClaimName) || !has(self.storageClassName)")
        .message("storageClassName goes with size: an existing claim has its class"),
    validation = Rule::new("has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)")
        .message("storageClassName cannot be added, dropped or changed after creation"),
    validation = Rule::new("has(self.existingClaimName) == has(oldSelf.existingClaimName) && (!has(self.existingClaimName) || self.existingClaimName == oldSelf.existingClaimName)")
        .message("existingClaimName cannot be added, dropped or changed after creation"),
    validation = Rule::new("!has(self.size) || !has(oldSelf.size) || quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0")
        .message("size cannot shrink: a volume can only grow"),
    validation = Rule::new("!has(self.existingClaimName) || self.accessMode == 'ReadWriteOnce'")
        .message("accessMode goes with size: an existing claim has its own"),
    validation = Rule::new("self.accessMode == oldSelf.accessMode").message("accessMode cannot be changed after creation"))]
#[serde(rename_all = "camelCase")]
pub struct Filesystem {
    /// Size of the volume; it can grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Quantity>,
    /// Storage class; absent: the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub storage_class_name: Option<String>,
    /// Access mode; more than one replica needs ReadWriteMany.
    #[serde(default)]
    pub access_mode: AccessMode,
    /// A claim of this namespace, with or without images in distribution's layout: adopted as it is, never resized,
    /// never deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub existing_claim_name: Option<String>,
}

/// `storage.filesystem.accessMode`.
#[derive(schemars::JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessMode {
    /// One node at a time.
    #[default]
    ReadWriteOnce,
    /// Every node.
    ReadWriteMany,
    /// One pod at a time.
    ReadWriteOncePod,
}

/// An emptyDir.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("!has(self.sizeLimit) || (isQuantity(string(self.sizeLimit)) && quantity(string(self.sizeLimit)).compareTo(quantity('1')) >= 0)")
    .message("sizeLimit must be a quantity above 0, such as 10Gi"))]
#[serde(rename_all = "camelCase")]
pub struct Ephemeral {
    /// The pod is evicted when it uses more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<Quantity>,
}
