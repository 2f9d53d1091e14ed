//! Each field changed and changed back: the children come back to the same bytes.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, ensure};
use e2e::{
    children::{self, key},
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{apply_object, patch, settled},
    process::{eventually, run},
    registry::{Registry, hello_layout},
};
use serde_json::{Value, json};

use crate::{clients::six_line_registry, shared::Shared};

/// What each child says, without what the cluster adds to it over time.
fn children(namespace: &str) -> Result<BTreeMap<String, Value>> {
    let items = children::children(namespace)?;
    let said = |item: &Value| {
        let mut item = item.clone();
        for volatile in ["resourceVersion", "generation", "managedFields", "creationTimestamp", "uid"] {
            item["metadata"].as_object_mut().map(|metadata| metadata.remove(volatile));
        }
        // Bookkeeping: the Deployment's counter, and by which versions of which Secrets the password file was verified.
        for counter in ["deployment.kubernetes.io/revision", "privateregistry.dev/sources"] {
            item["metadata"]["annotations"].as_object_mut().map(|all| all.remove(counter));
        }
        if ["team-htpasswd", "team-tls"].iter().any(|name| item["metadata"]["name"] == *name) {
            item["metadata"]["annotations"]
                .as_object_mut()
                .map(|all| all.remove("privateregistry.dev/applied"));
        }
        // A certificate that went with TLS is issued anew, by the same CA.
        if item["metadata"]["name"] == "team-tls" {
            item["data"] = json!({"ca.crt": item["data"]["ca.crt"]});
        }
        item.as_object_mut().map(|item| item.remove("status"));
        item
    };
    // Boot files that a ReplicaSet of before still mounts stay: `kubectl rollout undo` needs them.
    let current = items.iter().filter(|item| !key(item).contains("team-config-"));
    Ok(current.map(|item| (key(item), said(item))).collect())
}

fn differing(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<String> {
    let keys = before.keys().chain(after.keys());
    let mut found: Vec<String> = keys.filter(|key| before.get(*key) != after.get(*key)).cloned().collect();
    found.sort();
    found.dedup();
    found
}

/// Changes `there`, waits until `child` is another and all settle, changes `back`, and waits until all are as before.
fn there_and_back(
    namespace: &str,
    before: &BTreeMap<String, Value>,
    there: &str,
    back: &str,
    child: &str,
) -> Result<()> {
    patch(namespace, "team", there)?;
    eventually(Duration::from_secs(90), &format!("{child} to follow {there}"), || {
        let changed = differing(before, &children(namespace)?);
        ensure!(changed.iter().any(|key| key.contains(child)), "only {changed:?} changed");
        Ok(Some(()))
    })?;
    // Without pods, or without somebody who gives addresses, none is Ready.
    if !["suspend", "\"replicas\": 0", "loadBalancerClass"].iter().any(|word| there.contains(word)) {
        settled(namespace, "team")?;
    }
    patch(namespace, "team", back)?;
    settled(namespace, "team")?;
    eventually(Duration::from_secs(90), &format!("children to come back from {there}"), || {
        let differing = differing(before, &children(namespace)?);
        ensure!(differing.is_empty(), "still different: {differing:?}");
        Ok(Some(()))
    })
}

/// What the fields below name: a pair and logins in one Secret, a CA, the public keys of an issuer.
fn put_inputs(namespace: &str) -> Result<()> {
    let key = rcgen::KeyPair::generate()?;
    let names = [format!("team-registry.{namespace}.svc")];
    let certificate = rcgen::CertificateParams::new(names)?.self_signed(&key)?.pem();
    let issuer: Value = serde_json::from_str(&run(&mut kubectl(&["get", "--raw", "/openid/v1/jwks"]))?)?;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine"}, "stringData": {
        "tls.crt": certificate, "tls.key": key.serialize_pem(), "ca.crt": certificate,
        "username": "somebody", "password": "of somebody's", "htpasswd": "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"}});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"},
        "data": {"ca.crt": certificate, "jwks.json": issuer.to_string()}});
    for input in [secret, map] {
        apply(namespace, &input.to_string())?;
    }
    Ok(())
}

#[test]
fn settings_that_pods_take_over_come_back_and_replace_no_pod() -> Result<()> {
    let namespace = Namespace::create("e2e-fields")?;
    put_inputs(namespace.name())?;
    let registry = six_line_registry(namespace.name())?;
    settled(namespace.name(), "team")?;
    let (before, pods) = (children(namespace.name())?, registry.pods()?);
    for (there, back, child) in [
        (r#"{"readOnly": true}"#, r#"{"readOnly": false}"#, "team-live"),
        (r#"{"imageDeletion": "Disabled"}"#, r#"{"imageDeletion": "Enabled"}"#, "team-live"),
        (
            r#"{"immutableTags": [{"repositories": ["team/**"], "tags": ["v*"]}]}"#,
            r#"{"immutableTags": null}"#,
            "team-live",
        ),
        (
            r#"{"quota": {"repositories": [{"repositories": ["team/**"], "size": "1Gi"}]}}"#,
            r#"{"quota": null}"#,
            "team-live",
        ),
        (
            r#"{"warnings": [{"text": "moves on Friday", "repositories": ["team/**"]}]}"#,
            r#"{"warnings": null}"#,
            "team-live",
        ),
        (r#"{"logging": {"level": "Debug"}}"#, r#"{"logging": null}"#, "team-live"),
        (r#"{"logging": {"access": "Disabled"}}"#, r#"{"logging": null}"#, "team-live"),
        (r#"{"limits": {"maxBlobSize": "1Gi", "uploadExpiry": "1h"}}"#, r#"{"limits": null}"#, "team-live"),
        (r#"{"deletionPolicy": "Delete"}"#, r#"{"deletionPolicy": "Retain"}"#, "team-data"),
        (r#"{"networkPolicy": {"mode": "Disabled"}}"#, r#"{"networkPolicy": null}"#, "NetworkPolicy"),
        (r#"{"exposure": {"service": {"annotations": {"a": "b"}}}}"#, r#"{"exposure": null}"#, "Service"),
        (r#"{"exposure": {"trustedProxies": ["10.244.0.0/16"]}}"#, r#"{"exposure": null}"#, "team-live"),
        (r#"{"exposure": {"service": {"type": "NodePort"}}}"#, r#"{"exposure": null}"#, "Service"),
        (r#"{"exposure": {"service": {"port": 8443}}}"#, r#"{"exposure": null}"#, "Service"),
        (
            r#"{"exposure": {"service": {"type": "NodePort", "nodePort": 31957, "externalTrafficPolicy": "Local"}}}"#,
            r#"{"exposure": null}"#,
            "Service",
        ),
        (
            r#"{"exposure": {"service": {"type": "LoadBalancer", "loadBalancerClass": "example.com/nobody"}}}"#,
            r#"{"exposure": null}"#,
            "Service",
        ),
        (r#"{"exposure": {"hostnames": ["registry.example.com"]}}"#, r#"{"exposure": null}"#, "team-pull"),
        (
            r#"{"networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}], "egress": [{"ports": [{"port": 443}]}]}}"#,
            r#"{"networkPolicy": null}"#,
            "NetworkPolicy",
        ),
        (r#"{"limits": {"maxManifestSize": "1Mi"}}"#, r#"{"limits": null}"#, "team-live"),
        (
            r#"{"auth": {"htpasswd": {"users": [{"name": "admin"}, {"name": "dev"}]}}}"#,
            r#"{"auth": null}"#,
            "team.dev",
        ),
        (r#"{"cache": {"redis": {"managed": {"maxMemory": 67108864}}}}"#, r#"{"cache": null}"#, "team-redis"),
        (
            r#"{"auth": {"htpasswd": {"users": [{"name": "admin", "groups": ["ops"], "rotateEvery": "720h", "overlap": "2h"},
                {"name": "dev", "passwordSecretRef": {"name": "mine", "key": "username"}}],
                "secretRef": {"name": "mine", "key": "htpasswd"}, "minimumHash": "Bcrypt"}}}"#,
            r#"{"auth": null}"#,
            "team-htpasswd",
        ),
        (
            r#"{"auth": {"serviceAccounts": {"audiences": ["registry.example.com"]},
                "access": [{"subjects": ["user:admin"], "repositories": ["**"], "actions": ["Pull", "Push"]},
                    {"subjects": ["serviceaccount:ci/*"], "repositories": ["**"], "actions": ["Delete"], "effect": "Deny"}]}}"#,
            r#"{"auth": null}"#,
            "team-live",
        ),
        (
            r#"{"auth": {"oidc": [{"name": "forge", "issuer": "https://forge.example.com", "audiences": ["a", "b"],
                "jwksRef": {"name": "mine", "key": "jwks.json"}, "usernameClaim": "email", "groupsClaim": "groups",
                "requiredClaims": {"owner": "acme"}}]}}"#,
            r#"{"auth": null}"#,
            "team-live",
        ),
        (
            r#"{"cache": {"redis": {"managed": {"maxMemory": "64Mi",
                "resources": {"limits": {"memory": "96Mi"}, "requests": {"cpu": "10m"}}}}}}"#,
            r#"{"cache": null}"#,
            "team-redis",
        ),
        (r#"{"tls": {"secretRef": {"name": "mine"}}}"#, r#"{"tls": null}"#, "team-trust"),
        (
            r#"{"pod": {"serviceAccountAnnotations": {"example.com/role": "reader"}}}"#,
            r#"{"pod": null}"#,
            "ServiceAccount",
        ),
    ] {
        there_and_back(namespace.name(), &before, there, back, child)?;
        ensure!(pods == registry.pods()?, "{there}: pods were replaced");
    }
    Ok(())
}

#[test]
fn settings_of_pods_come_back_with_the_pods_replaced() -> Result<()> {
    let namespace = Namespace::create("e2e-fields-pods")?;
    put_inputs(namespace.name())?;
    apply_object(namespace.name(), "team", "{storage: {ephemeral: {}}, cache: {none: {}}}")?;
    settled(namespace.name(), "team")?;
    let before = children(namespace.name())?;
    for (there, back) in [
        (r#"{"drainTimeout": "30s"}"#, r#"{"drainTimeout": "5m"}"#),
        (r#"{"logging": {"format": "Text"}}"#, r#"{"logging": null}"#),
        (r#"{"logging": {"audit": "Enabled"}}"#, r#"{"logging": null}"#),
        (r#"{"suspend": true}"#, r#"{"suspend": false}"#),
        (r#"{"replicas": 0}"#, r#"{"replicas": 1}"#),
        (
            r#"{"image": {"reference": "localhost/registry-server:dev", "pullPolicy": "Never"}}"#,
            r#"{"image": null}"#,
        ),
        (r#"{"pod": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}"#, r#"{"pod": null}"#),
        (r#"{"pod": {"resources": {"limits": {"memory": "300Mi"}}}}"#, r#"{"pod": null}"#),
        (r#"{"pod": {"template": {"spec": {"hostname": "one"}}}}"#, r#"{"pod": null}"#),
        (r#"{"pod": {"serviceAccountName": "default"}}"#, r#"{"pod": null}"#),
        (
            r#"{"image": {"reference": "localhost/registry-server:dev", "pullSecrets": [{"name": "mine"}]}}"#,
            r#"{"image": null}"#,
        ),
        (
            r#"{"pod": {"nodeSelector": {"kubernetes.io/os": "linux"}, "tolerations": [{"operator": "Exists"}],
                "priorityClassName": "system-cluster-critical", "topologySpreadConstraints": [],
                "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1,
                    "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}}}]}}}}"#,
            r#"{"pod": null}"#,
        ),
        (
            r#"{"storage": {"ephemeral": {"sizeLimit": "1Gi"}}}"#,
            r#"{"storage": {"ephemeral": {"sizeLimit": null}}}"#,
        ),
        (
            r#"{"cache": {"none": null, "memory": {"maxSize": "8Mi"}}}"#,
            r#"{"cache": {"memory": null, "none": {}}}"#,
        ),
        // Nobody answers there: it costs speed only.
        (
            r#"{"cache": {"none": null, "redis": {"external": {"mode": "Sentinel", "sentinelMaster": "main", "database": 1,
                "addresses": ["127.0.0.1:1", "127.0.0.1:2"], "credentialsSecretRef": {"name": "mine"},
                "sentinelCredentialsSecretRef": {"name": "mine"},
                "tls": {"caBundleRef": {"name": "mine", "key": "ca.crt"}, "clientSecretRef": {"name": "mine"}}}}}}"#,
            r#"{"cache": {"redis": null, "none": {}}}"#,
        ),
        (r#"{"auth": {"token": {"builtIn": {"lifetime": "10m"}}}}"#, r#"{"auth": null}"#),
        (r#"{"tls": {"disabled": {}}}"#, r#"{"tls": null}"#),
        (
            r#"{"tls": {"clientCARef": {"name": "mine", "key": "ca.crt", "identity": "DNS"}}}"#,
            r#"{"tls": null}"#,
        ),
        (r#"{"exposure": {"service": {"httpRedirect": "Enabled"}}}"#, r#"{"exposure": null}"#),
    ] {
        there_and_back(namespace.name(), &before, there, back, "team-registry")?;
    }
    Ok(())
}

#[test]
fn a_second_pod_comes_and_goes_with_its_budget() -> Result<()> {
    let namespace = Namespace::create("e2e-fields-shared")?;
    let _shared = Shared::create(&namespace)?;
    let spec = "{replicas: 1, storage: {filesystem: {existingClaimName: shared}}, cache: {none: {}}}";
    apply_object(namespace.name(), "team", spec)?;
    settled(namespace.name(), "team")?;
    let before = children(namespace.name())?;
    let (there, back) = (r#"{"replicas": 2}"#, r#"{"replicas": 1}"#);
    there_and_back(namespace.name(), &before, there, back, "PodDisruptionBudget")
}

// operator 60: names that collide elsewhere
#[test]
fn two_registries_with_long_similar_names_do_not_touch_each_other() -> Result<()> {
    let namespace = Namespace::create("e2e-similar")?;
    let long = "a-team-with-a-name-of-forty-characters-x";
    let (first, second) = (&long[..long.len() - 2], long);
    for name in [first, second, "a", "a-redis"] {
        apply_object(namespace.name(), name, "{storage: {ephemeral: {}}}")?;
    }
    for name in [first, second, "a", "a-redis"] {
        settled(namespace.name(), name)?;
    }
    let (one, other) =
        (Registry::ready(namespace.name(), first)?, Registry::ready(namespace.name(), second)?);
    one.log_in("admin", &one.password)?;
    run(&mut one.crane(&["push", &hello_layout()?, &one.reference("hello:1")]))?;
    ensure!(
        other.status_of("/v2/", "admin", &one.password)? == "401",
        "one registry's password opens the other"
    );
    ensure!(
        other.status_of("/v2/hello/manifests/1", "admin", &other.password)? == "404",
        "an image is in both"
    );
    run(&mut kubectl(&["-n", namespace.name(), "delete", "preg", first, "--wait"]))?;
    eventually(Duration::from_secs(60), "children of the first to go", || {
        let labels = format!("app.kubernetes.io/instance={first}");
        let left = get(namespace.name(), &["deployments,services", "-l", &labels])?;
        Ok(left["items"].as_array().is_some_and(Vec::is_empty).then_some(()))
    })?;
    settled(namespace.name(), second)?;
    ensure!(other.status_of("/v2/", "admin", &other.password)? == "200", "the other one does not answer");
    Ok(())
}
