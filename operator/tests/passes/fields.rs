//! Each field there and back: the children come back to the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::world::{SIX_LINES, World};

/// A field of the spec, what it is set to, and a child that follows it.
const FIELDS: &[(&str, &str, &str)] = &[
    ("readOnly", "true", "configmaps/team-live"),
    ("imageDeletion", "Disabled", "configmaps/team-live"),
    ("logging", "{level: Debug}", "configmaps/team-live"),
    ("logging", "{access: Disabled}", "configmaps/team-live"),
    ("logging", "{audit: Enabled}", "deployments/team-registry"),
    ("logging", "{format: Text}", "deployments/team-registry"),
    ("immutableTags", "[{repositories: ['**'], tags: ['v*']}]", "configmaps/team-live"),
    ("limits", "{maxBlobSize: 1Gi}", "configmaps/team-live"),
    ("limits", "{maxManifestSize: 1Mi}", "configmaps/team-live"),
    ("limits", "{uploadExpiry: 1h}", "configmaps/team-live"),
    ("deletionPolicy", "Delete", "persistentvolumeclaims/team-data"),
    ("suspend", "true", "deployments/team-registry"),
    ("replicas", "0", "deployments/team-registry"),
    ("drainTimeout", "30s", "deployments/team-registry"),
    ("image", "{reference: 'other:1'}", "deployments/team-registry"),
    ("image", "{reference: 'other:1', pullPolicy: Always}", "deployments/team-registry"),
    ("image", "{reference: 'other:1', pullSecrets: [{name: mirror}]}", "deployments/team-registry"),
    ("cache", "{none: {}}", "deployments/team-redis"),
    ("cache", "{memory: {maxSize: 32Mi}}", "deployments/team-redis"),
    ("cache", "{redis: {managed: {maxMemory: 512Mi}}}", "deployments/team-redis"),
    ("cache", "{redis: {managed: {resources: {limits: {memory: 1Gi}}}}}", "deployments/team-redis"),
    ("cache", "{redis: {managed: {image: 'redis:8'}}}", "deployments/team-redis"),
    ("cache", "{redis: {external: {addresses: ['127.0.0.1:1']}}}", "deployments/team-redis"),
    ("tls", "{selfSigned: {certificateLifetime: 240h}}", "secrets/team-tls"),
    ("tls", "{disabled: {}}", "services/team-registry"),
    ("auth", "{htpasswd: {users: [{name: admin}, {name: ci}]}}", "secrets/team-htpasswd"),
    ("auth", "{htpasswd: {users: [{name: admin, groups: [ops]}]}}", "configmaps/team-live"),
    (
        "auth",
        "{access: [{subjects: [authenticated], repositories: ['**'], actions: [Pull]}]}",
        "configmaps/team-live",
    ),
    ("auth", "{serviceAccounts: {audiences: [registry.example.com]}}", "configmaps/team-live"),
    (
        "auth",
        "{oidc: [{name: forge, issuer: 'https://a', audiences: [b], jwksRef: {name: forge-keys}}]}",
        "configmaps/team-live",
    ),
    ("auth", "{token: {builtIn: {}}}", "deployments/team-registry"),
    ("auth", "{token: {builtIn: {lifetime: 10m}}}", "deployments/team-registry"),
    ("exposure", "{hostnames: [registry.example.com]}", "secrets/team-tls"),
    ("exposure", "{service: {type: NodePort}}", "services/team-registry"),
    ("exposure", "{service: {type: NodePort, nodePort: 30443}}", "services/team-registry"),
    ("exposure", "{service: {type: NodePort, externalTrafficPolicy: Local}}", "services/team-registry"),
    ("exposure", "{service: {type: LoadBalancer, loadBalancerClass: inside}}", "services/team-registry"),
    ("exposure", "{trustedProxies: [10.244.0.0/16]}", "configmaps/team-live"),
    ("exposure", "{service: {port: 8443}}", "services/team-registry"),
    ("exposure", "{service: {httpRedirect: Enabled}}", "services/team-registry"),
    ("exposure", "{service: {annotations: {a: b}}}", "services/team-registry"),
    ("networkPolicy", "{mode: Disabled}", "networkpolicies/team-registry"),
    ("networkPolicy", "{metricsFrom: [{podSelector: {}}]}", "networkpolicies/team-registry"),
    ("networkPolicy", "{egress: []}", "networkpolicies/team-registry"),
    ("pod", "{resources: {limits: {memory: 1Gi}}}", "deployments/team-registry"),
    ("pod", "{nodeSelector: {a: b}}", "deployments/team-registry"),
    ("pod", "{tolerations: [{key: a}]}", "deployments/team-registry"),
    ("pod", "{affinity: {nodeAffinity: {}}}", "deployments/team-registry"),
    ("pod", "{topologySpreadConstraints: []}", "deployments/team-registry"),
    ("pod", "{priorityClassName: high}", "deployments/team-registry"),
    ("pod", "{labels: {a: b}}", "deployments/team-registry"),
    ("pod", "{annotations: {a: b}}", "deployments/team-registry"),
    ("pod", "{serviceAccountName: mine}", "deployments/team-registry"),
    ("pod", "{serviceAccountAnnotations: {a: b}}", "serviceaccounts/team-registry"),
    ("pod", "{template: {spec: {hostname: one}}}", "deployments/team-registry"),
];

/// What each child says, without what counts its changes. A certificate is issued anew, a hash gets another salt, and a
/// Redis that comes again has another password: of these, the keys are compared.
fn said(world: &World) -> BTreeMap<String, Value> {
    let mut all = world.api.objects();
    all.retain(|path, _| !path.contains("privateregistries") && !path.contains("configmaps/team-config-"));
    for (path, object) in &mut all {
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.retain(|key, _| !["resourceVersion", "generation", "managedFields"].contains(&key.as_str()));
        let made_anew = ["secrets/team-tls", "secrets/team-htpasswd", "secrets/team-redisauth"]
            .iter()
            .any(|name| path.ends_with(name));
        if made_anew {
            object["data"] = json!(object["data"].as_object().unwrap().keys().collect::<Vec<_>>());
            object["metadata"]["annotations"] = Value::Null;
        }
        if path.ends_with("deployments/team-redis") {
            object["metadata"]["annotations"] = Value::Null;
            object["spec"]["template"]["metadata"]["annotations"] = Value::Null;
        }
        object.as_object_mut().unwrap().remove("status");
    }
    all
}

fn differing(one: &BTreeMap<String, Value>, other: &BTreeMap<String, Value>) -> BTreeSet<String> {
    one.keys().chain(other.keys()).filter(|path| one.get(*path) != other.get(*path)).cloned().collect()
}

/// `resourceVersion` of every child.
fn versions(world: &World) -> BTreeMap<String, Value> {
    world
        .api
        .objects()
        .into_iter()
        .map(|(path, object)| (path, object["metadata"]["resourceVersion"].clone()))
        .collect()
}

// guarantee 2, guarantee 7: what a field brought goes with it
#[tokio::test]
async fn each_field_comes_back_to_the_same_bytes() {
    let mut world = World::new(SIX_LINES);
    for path in ["/.well-known/openid-configuration", "/openid/v1/jwks"] {
        world.api.keep(path, json!({"metadata": {}, "issuer": "https://kubernetes.default.svc"}));
    }
    world.settle().await;
    let before = said(&world);
    for (field, value, follower) in FIELDS {
        let (versions_before, old) = (versions(&world), world.spec(field));
        world.set_spec(field, serde_saphyr::from_str(value).unwrap());
        world.settle().await;
        let changed = differing(&versions_before, &versions(&world));
        assert!(changed.iter().any(|path| path.ends_with(follower)), "{field}: {value} changed {changed:?}");
        world.set_spec(field, old);
        world.settle().await;
        let after = differing(&before, &said(&world));
        assert!(after.is_empty(), "{field}: {value} and back: {after:?}");
    }
}

/// Fields of the CRD's spec that this file does not change, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("storage", "another store is held until it is confirmed: tests of placement"),
    ("tls.secretRef", "what is in it decides: tests of inputs"),
];

#[test]
fn every_field_of_the_spec_is_in_the_table() {
    use kube::CustomResourceExt;
    let crd = serde_json::to_value(operator::crd::registry::PrivateRegistry::crd()).unwrap();
    let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    for (field, schema) in spec.as_object().unwrap() {
        let elsewhere = |path: &str| ELSEWHERE.iter().any(|(elsewhere, _)| *elsewhere == path);
        if elsewhere(field) {
            continue;
        }
        let empty = serde_json::Map::new();
        let inner = schema["properties"].as_object().unwrap_or(&empty);
        assert!(FIELDS.iter().any(|(name, ..)| name == field), "{field}");
        for name in inner.keys() {
            let there = |(top, value, _): &(&str, &str, &str)| {
                *top == field.as_str() && value.contains(name.as_str())
            };
            assert!(FIELDS.iter().any(there) || elsewhere(&format!("{field}.{name}")), "{field}.{name}");
        }
    }
}
