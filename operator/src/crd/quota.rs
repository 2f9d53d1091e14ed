//! `spec.quota`: how much repositories may hold. Running pods take it over.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crd::quantity::Quantity;

/// How much repositories may hold.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Quota {
    /// Which repositories may hold how much. Of several that fit a repository the smallest counts.
    #[schemars(length(min = 1, max = 64))]
    pub repositories: Vec<RepositoryQuota>,
}

/// How much each of some repositories may hold.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("isQuantity(self.size) && quantity(self.size).compareTo(quantity('1')) >= 0")
    .message("size must be a quantity above 0, such as 100Gi"))]
pub struct RepositoryQuota {
    /// Which: patterns such as `team/**`.
    #[schemars(
        length(min = 1, max = 64),
        inner(length(min = 1, max = 255), regex(pattern = r"^[a-z0-9._/*?-]+$"))
    )]
    pub repositories: Vec<String>,
    /// Most bytes of one of them, as a text: its blobs and manifests, each once.
    // Of a list of what may be numbers as well, the API server takes no such rule: it would cost too much.
    #[schemars(with = "String", length(min = 1, max = 32))]
    pub size: Quantity,
}
