//! Services: the public port, and the admin port apart from it.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::child::{Keep, metadata, selector},
    model::Model,
};

/// The public Service.
pub fn public(model: &Model) -> Value {
    let port = json!({"name": "https", "port": 443, "targetPort": "registry", "protocol": "TCP"});
    service(model, &model.names.registry(), &port)
}

/// The Service of probes and metrics: always ClusterIP, so that no load balancer carries it.
pub fn admin(model: &Model) -> Value {
    let port = json!({"name": "admin", "port": 5001, "targetPort": "admin", "protocol": "TCP"});
    service(model, &model.names.admin(), &port)
}

fn service(model: &Model, name: &str, port: &Value) -> Value {
    let metadata = metadata(model, name, Keep::Never);
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
        "spec": {"type": "ClusterIP", "selector": selector(model), "ports": [port]}})
}
