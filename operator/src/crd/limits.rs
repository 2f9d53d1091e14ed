//! `spec.limits`: how much clients may send. Running pods take it over.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::crd::{duration::Duration, quantity::Quantity};

/// How much clients may send.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(
    validation = Rule::new("!has(self.maxBlobSize) || (isQuantity(string(self.maxBlobSize)) && quantity(string(self.maxBlobSize)).compareTo(quantity('1')) >= 0)")
        .message("maxBlobSize must be a quantity above 0, such as 20Gi"),
    validation = Rule::new("!has(self.maxManifestSize) || (isQuantity(string(self.maxManifestSize)) && quantity(string(self.maxManifestSize)).compareTo(quantity('1Ki')) >= 0)")
        .message("maxManifestSize must be a quantity of at least 1Ki, such as 4Mi"),
    validation = Rule::new("duration(self.uploadExpiry) >= duration('10m')")
        .message("uploadExpiry must be at least 10m: slow uploads would be removed while they run"))]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Largest blob; absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_blob_size: Option<Quantity>,
    /// Largest manifest.
    #[serde(default = "manifest_size")]
    pub max_manifest_size: Quantity,
    /// Uploads that nobody finished are removed after this time.
    #[serde(default = "upload_expiry")]
    pub upload_expiry: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_blob_size: None, max_manifest_size: manifest_size(), upload_expiry: upload_expiry() }
    }
}

fn manifest_size() -> Quantity {
    Quantity("4Mi".into())
}

fn upload_expiry() -> Duration {
    "168h".into()
}
