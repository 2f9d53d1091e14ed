//! The firewall: the public port from anywhere, the admin port from its own namespace and the operator's, Redis from
//! the registry.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    crd::{cache::RedisMode, network_policy::NetworkPolicyMode},
    private_registry::{
        desired::child::{Component, Keep, metadata, metadata_of, selector},
        model::{CacheKind, Model},
    },
};

/// The NetworkPolicies; none when the user switched them off.
pub fn network_policies(model: &Model) -> Vec<Value> {
    let wanted = model.spec.network_policy.clone().unwrap_or_default();
    if wanted.mode == NetworkPolicyMode::Disabled {
        return vec![];
    }
    let managed = matches!(model.cache, CacheKind::ManagedRedis(_));
    let mut all = vec![registry(model)];
    all.extend(managed.then(|| redis(model)));
    all
}

fn registry(model: &Model) -> Value {
    let wanted = model.spec.network_policy.clone().unwrap_or_default();
    let operator = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": model.operator_namespace}}});
    let mut admins = vec![json!({"podSelector": {}}), operator];
    admins.extend(wanted.metrics_from.iter().map(|peer| json!(peer)));
    let mut public = vec![json!({"protocol": "TCP", "port": "registry"})];
    public.extend(model.redirects().then(|| json!({"protocol": "TCP", "port": "redirect"})));
    let mut policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": metadata(model, &model.names.registry(), Keep::Never), "spec": {
        "podSelector": {"matchLabels": selector(model, Component::Registry)},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"ports": public},
            {"ports": [{"protocol": "TCP", "port": "admin"}], "from": admins},
        ],
    }});
    if let Some(rules) = wanted.egress {
        policy["spec"]["policyTypes"] = json!(["Ingress", "Egress"]);
        let mut all =
            vec![json!({"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]})];
        all.extend(to_redis(model));
        all.extend(rules.iter().map(|rule| json!(rule)));
        policy["spec"]["egress"] = all.into();
    }
    policy
}

/// The way to Redis: to our pods, or to the ports of servers of the user's, whose addresses only DNS knows.
fn to_redis(model: &Model) -> Option<Value> {
    match &model.cache {
        CacheKind::ManagedRedis(_) => {
            let redis = json!({"podSelector": {"matchLabels": selector(model, Component::Redis)}});
            Some(json!({"ports": [{"protocol": "TCP", "port": 6379}], "to": [redis]}))
        }
        CacheKind::ExternalRedis(external) => {
            let named = external.addresses.iter().filter_map(|address| address.rsplit_once(':'));
            let mut ports: BTreeSet<u16> = named.filter_map(|(_, port)| port.parse().ok()).collect();
            // Where the master is only its Sentinels know; Redis' own port is where it is nearly always.
            ports.extend((external.mode == RedisMode::Sentinel).then_some(6379));
            let ports: Vec<Value> =
                ports.into_iter().map(|port| json!({"protocol": "TCP", "port": port})).collect();
            // A rule without a port is one for all of them.
            (!ports.is_empty()).then(|| json!({"ports": ports}))
        }
        CacheKind::Memory(_) | CacheKind::None => None,
    }
}

fn redis(model: &Model) -> Value {
    let registry = json!({"podSelector": {"matchLabels": selector(model, Component::Registry)}});
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": metadata_of(model, &model.names.redis(), Keep::Never, Component::Redis), "spec": {
        "podSelector": {"matchLabels": selector(model, Component::Redis)},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"protocol": "TCP", "port": 6379}], "from": [registry]}],
    }})
}
