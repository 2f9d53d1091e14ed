//! `spec.exposure`: under which names and how the registry is reached.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Under which names and how the registry is reached.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("!has(self.trustedProxies) || self.trustedProxies.all(one, isCIDR(one))")
    .message("each entry of trustedProxies must be a CIDR, such as 10.244.0.0/16"))]
#[serde(rename_all = "camelCase")]
pub struct Exposure {
    /// DNS names in the certificate and the pull Secret; the first one is `status.url`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(
        length(max = 16),
        inner(
            length(min = 1, max = 253),
            regex(pattern = r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")
        )
    )]
    pub hostnames: Vec<String>,
    /// The Service in front of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Networks of proxies before the registry, whose word about where a request comes from is believed (`X-Forwarded-For`,
    /// `-Host`, `-Proto`): in the logs, and when wrong passwords are counted. Absent: nobody's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 43)))]
    pub trusted_proxies: Vec<String>,
}

/// The Service in front of the pods.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(
    validation = Rule::new("!has(self.nodePort) || self.type in ['NodePort', 'LoadBalancer']")
        .message("nodePort needs type NodePort or LoadBalancer"),
    validation = Rule::new("!has(self.loadBalancerClass) || self.type == 'LoadBalancer'")
        .message("loadBalancerClass needs type LoadBalancer"),
    validation = Rule::new("self.httpRedirect == 'Disabled' || !has(self.port) || self.port != 80")
        .message("httpRedirect takes port 80: choose another port"),
    validation = Rule::new("!has(self.externalTrafficPolicy) || self.type in ['NodePort', 'LoadBalancer']")
        .message("externalTrafficPolicy needs type NodePort or LoadBalancer"))]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// How it is reached from outside the cluster.
    #[serde(rename = "type", default)]
    pub type_: ServiceType,
    /// Its port; absent: 443, and 80 without TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// Whether port 80 answers with 301 to https, and nothing else.
    #[serde(default)]
    pub http_redirect: HttpRedirect,
    /// The port on every node; absent: the cluster chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub node_port: Option<i32>,
    /// Which load balancer serves it; it cannot be changed while there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub load_balancer_class: Option<String>,
    /// Whether addresses of clients arrive unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    // Of a field that may be null, null has to be among the values; of others the API server takes it for absence.
    #[schemars(with = "ExternalTrafficPolicy")]
    pub external_traffic_policy: Option<ExternalTrafficPolicy>,
    /// Annotations for the cloud's controller.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// `exposure.service.type`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceType {
    /// Inside the cluster.
    #[default]
    ClusterIP,
    /// A port of every node.
    NodePort,
    /// An address of the cloud's load balancer.
    LoadBalancer,
}

/// `exposure.service.httpRedirect`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpRedirect {
    /// Port 80 leads to https.
    Enabled,
    /// There is no port 80.
    #[default]
    Disabled,
}

/// `exposure.service.externalTrafficPolicy`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalTrafficPolicy {
    /// Every node forwards; addresses are translated.
    Cluster,
    /// Nodes with a pod answer; addresses arrive unchanged.
    Local,
}
