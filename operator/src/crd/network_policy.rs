//! `spec.networkPolicy`: who may reach the pods, and what they may reach.

use k8s_openapi::api::networking::v1::{NetworkPolicyEgressRule, NetworkPolicyPeer};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may reach the pods, and what they may reach.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicy {
    /// Whether there is one.
    #[serde(default)]
    pub mode: NetworkPolicyMode,
    /// Who may read metrics, beside the registry's own namespace and the operator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub metrics_from: Vec<NetworkPolicyPeer>,
    /// What registry pods may reach, beside DNS and Redis; absent: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub egress: Option<Vec<NetworkPolicyEgressRule>>,
}

/// `networkPolicy.mode`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkPolicyMode {
    /// Ports are closed to all who need not reach them.
    #[default]
    Enabled,
    /// Whoever can route to a pod can reach every port of it.
    Disabled,
}
