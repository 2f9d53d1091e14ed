//! Where the registry's Service is reached.

use kube::api::DynamicObject;
use serde_json::Value;

/// Every address of the Service: its own, and its load balancer's.
pub fn addresses(service: &DynamicObject) -> Vec<String> {
    let own = service.data["spec"]["clusterIPs"].as_array().into_iter().flatten();
    let balancer = service.data["status"]["loadBalancer"]["ingress"].as_array().into_iter().flatten();
    let outside = balancer.filter_map(|one| one["ip"].as_str().or_else(|| one["hostname"].as_str()));
    own.filter_map(Value::as_str).filter(|address| *address != "None").chain(outside).map(canonical).collect()
}

/// The port of the Service.
pub fn port(service: &DynamicObject) -> Option<i32> {
    let port = service.data["spec"]["ports"][0]["port"].as_i64();
    port.and_then(|port| i32::try_from(port).ok())
}

/// The port on every node, when that is how the Service is reached.
pub fn node_port(service: &DynamicObject) -> Option<i32> {
    let spec = &service.data["spec"];
    let port = spec["ports"][0]["nodePort"].as_i64().filter(|_| spec["type"] == "NodePort");
    port.and_then(|port| i32::try_from(port).ok())
}

/// An address as certificates have it.
fn canonical(address: &str) -> String {
    address.parse::<std::net::IpAddr>().map_or_else(|_| address.to_owned(), |address| address.to_string())
}
