//! Section `validation`.

use serde::{Deserialize, Serialize};

use crate::schema::is_default;

/// Section `validation`: what must be here before a manifest is taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Validation {
    /// Of manifests.
    #[serde(skip_serializing_if = "is_default")]
    pub manifests: ManifestValidation,
}

/// `validation.manifests`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ManifestValidation {
    /// Whether config and layers of an image must be here (*ours*).
    #[serde(skip_serializing_if = "is_default")]
    pub layers: Presence,
    /// Which children of an index must be here.
    #[serde(skip_serializing_if = "is_default")]
    pub indexes: IndexValidation,
}

/// Whether content must be here before a manifest that names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// A manifest is refused while any of it is missing.
    #[default]
    Required,
    /// It may come later, or never: an image that is here in part.
    Optional,
}

/// `validation.manifests.indexes`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IndexValidation {
    /// Which children must be here. Absent means none; distribution then asks for all.
    pub platforms: IndexPlatforms,
    /// With `platforms: list`, those of these platforms must.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platformlist: Vec<Platform>,
}

/// `validation.manifests.indexes.platforms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndexPlatforms {
    /// Every child.
    #[serde(alias = "All")]
    All,
    /// No child.
    #[default]
    #[serde(alias = "None")]
    None,
    /// Those of `platformlist`.
    #[serde(alias = "List")]
    List,
}

/// An entry of `platformlist`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// As image indexes say it: `amd64`.
    pub architecture: String,
    /// As image indexes say it: `linux`.
    pub os: String,
}
