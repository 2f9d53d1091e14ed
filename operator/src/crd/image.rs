//! `spec.image`.

use k8s_openapi::api::core::v1::LocalObjectReference;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The registry's image. Absent: the operator's release decides.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The image, with a tag or a digest.
    #[schemars(length(min = 1, max = 512))]
    pub reference: String,
    /// When nodes pull it.
    #[serde(default)]
    pub pull_policy: PullPolicy,
    /// Secrets of this namespace to pull it with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pull_secrets: Vec<LocalObjectReference>,
}

/// `image.pullPolicy`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PullPolicy {
    /// When a node lacks it.
    #[default]
    IfNotPresent,
    /// For every pod.
    Always,
    /// Not at all: nodes have it.
    Never,
}
