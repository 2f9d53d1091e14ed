//! Services: the public port, and the admin port apart from it.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::child::{Component, Keep, metadata, selector},
    model::Model,
};

/// The public Service.
pub fn public(model: &Model) -> Value {
    let name = if model.encrypted() { "https" } else { "http" };
    let mut port = json!({"name": name, "port": model.port(), "targetPort": "registry", "protocol": "TCP"});
    let wanted = &model.service;
    if let Some(node_port) = wanted.node_port {
        port["nodePort"] = node_port.into();
    }
    let mut service = service(model, &model.names.registry(), &port);
    if model.redirects() {
        let plain = json!({"name": "http", "port": 80, "targetPort": "redirect", "protocol": "TCP"});
        service["spec"]["ports"] = json!([port, plain]);
    }
    service["spec"]["type"] = json!(wanted.type_);
    for (key, value) in &wanted.annotations {
        service["metadata"]["annotations"][key] = value.clone().into();
    }
    if let Some(class) = &wanted.load_balancer_class {
        service["spec"]["loadBalancerClass"] = class.clone().into();
    }
    if let Some(policy) = wanted.external_traffic_policy {
        service["spec"]["externalTrafficPolicy"] = json!(policy);
    }
    service
}

/// The Service of probes and metrics: always ClusterIP, so that no load balancer carries it.
pub fn admin(model: &Model) -> Value {
    let port = json!({"name": "admin", "port": 5001, "targetPort": "admin", "protocol": "TCP"});
    service(model, &model.names.admin(), &port)
}

fn service(model: &Model, name: &str, port: &Value) -> Value {
    let metadata = metadata(model, name, Keep::Never);
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
        "spec": {"type": "ClusterIP", "selector": selector(model, Component::Registry), "ports": [port]}})
}
