//! The firewall: the public port from anywhere, the admin port from its own namespace and the operator's.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::child::{Keep, metadata, selector},
    model::Model,
};

/// The NetworkPolicy of the registry's pods.
pub fn network_policy(model: &Model) -> Value {
    let metadata = metadata(model, &model.names.registry(), Keep::Never);
    let operator = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": model.operator_namespace}}});
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": {
        "podSelector": {"matchLabels": selector(model)},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"ports": [{"protocol": "TCP", "port": "registry"}]},
            {"ports": [{"protocol": "TCP", "port": "admin"}], "from": [{"podSelector": {}}, operator]},
        ],
    }})
}
