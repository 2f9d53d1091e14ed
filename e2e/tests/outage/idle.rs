//! Passes over what has not changed.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{
    children::{key, versions},
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{condition, manifest, patch_any, until},
    operator::{Work, work, writes},
    process::{eventually, run},
};

use serde_json::{Value, json};

use crate::ALONE;

/// Registries of many shapes: what the API server adds to their children differs.
const SHAPES: [(&str, &str); 7] = [
    ("plain", "{storage: {filesystem: {size: 1Gi}}}"),
    (
        "outside",
        "{storage: {ephemeral: {sizeLimit: 2048Mi}}, replicas: 1, exposure: {hostnames: [registry.example.com],
          service: {type: NodePort, externalTrafficPolicy: Local, httpRedirect: Enabled}},
          networkPolicy: {metricsFrom: [{podSelector: {}}], egress: [{ports: [{port: 443}]}, {to: [{podSelector: {}}]}]}}",
    ),
    (
        "cloud",
        "{storage: {ephemeral: {}}, cache: {memory: {}}, exposure: {service: {type: LoadBalancer}},
          auth: {token: {builtIn: {lifetime: 10m}}}}",
    ),
    (
        "pods",
        "{storage: {ephemeral: {}}, tls: {disabled: {}}, cache: {none: {}}, pod: {resources: {limits: {cpu: 1, memory: 1024Mi}, requests: {cpu: 10m}},
          tolerations: [{operator: Exists}], topologySpreadConstraints: [], labels: {a: b},
          affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1,
            podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {a: b}}}}]}},
          template: {spec: {hostname: one, volumes: [{name: more, emptyDir: {}}]}}}}",
    ),
    (
        "accounts",
        "{storage: {filesystem: {size: 1Gi}}, auth: {htpasswd: {users: [{name: admin}, {name: ci, rotateEvery: 720h}]}},
          cache: {redis: {managed: {maxMemory: 64Mi}}}, networkPolicy: {mode: Disabled}, deletionPolicy: Delete}",
    ),
    // What the user brings: here, most of it is what its neighbour has.
    (
        "given",
        "{storage: {ephemeral: {}}, exposure: {hostnames: [accounts-registry.e2e-idle.svc]}, tls: {secretRef: {name: accounts-tls}},
          cache: {redis: {external: {addresses: ['accounts-redis.e2e-idle.svc:6379'], credentialsSecretRef: {name: accounts-redisauth}}}},
          auth: {htpasswd: {users: [{name: admin, groups: [ops]}, {name: dev, passwordSecretRef: {name: given}}], secretRef: {name: given}},
            oidc: [{name: forge, issuer: 'https://forge.example.com', audiences: [a], jwksRef: {name: given}, requiredClaims: {owner: acme}}],
            serviceAccounts: {audiences: [a]},
            access: [{subjects: ['serviceaccount:*/*', 'oidc:forge:*'], repositories: ['**'], actions: [Pull]}]}}",
    ),
    // It has a budget, and no pod: nobody provides a claim that many may mount.
    ("several", "{suspend: true, replicas: 2, storage: {filesystem: {existingClaimName: several}}, cache: {none: {}}}"),
];

/// What the shapes name.
fn put_inputs(namespace: &str) -> Result<()> {
    let keys: Value = serde_json::from_str(&run(&mut kubectl(&["get", "--raw", "/openid/v1/jwks"]))?)?;
    for input in [
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "given"}, "stringData": {
            "password": "of-the-users-own", "htpasswd": "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "given"}, "data": {"jwks.json": keys.to_string()}}),
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "several"}, "spec": {
            "accessModes": ["ReadWriteMany"], "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}}}),
    ] {
        apply(namespace, &input.to_string())?;
    }
    Ok(())
}

/// Waits until all that a shape is to be is there.
fn stands(namespace: &str, name: &str, spec: &str) -> Result<()> {
    if spec.contains("suspend: true") {
        until(namespace, name, "Ready", "False/Suspended")?;
        return get(namespace, &["poddisruptionbudget", &format!("{name}-registry")]).map(drop);
    }
    until(namespace, name, "Available", "True/PodsReady")?;
    until(namespace, name, "Progressing", "False/RolledOut")?;
    // Redis may be ready after the pods that use it: that is news.
    eventually(Duration::from_secs(60), "a cache", || {
        Ok(condition(namespace, name, "CacheReady")?.0.starts_with("True/").then_some(()))
    })
}

/// `resourceVersion` of each child, and the status of each registry.
fn said(namespace: &str) -> Result<BTreeMap<String, String>> {
    let mut all = versions(namespace)?;
    let registries = get(namespace, &["preg"])?;
    for registry in registries["items"].as_array().context("no list")? {
        all.insert(key(registry), registry["status"].to_string());
    }
    Ok(all)
}

/// Waits until the namespaces of earlier tests are gone: a child that goes before its registry wakes the operator, which
/// then tries to make it again.
fn nobody_else() -> Result<()> {
    let going = ["get", "namespaces", "--field-selector=status.phase=Terminating", "-o", "name"];
    eventually(Duration::from_secs(120), "earlier namespaces to go", || {
        let left = run(&mut kubectl(&going))?;
        Ok(left.trim().is_empty().then_some(()))
    })
}

/// One more pass over each: an annotation that is not ours has the operator look, and says nothing to it.
fn round(namespace: &str, number: u64) -> Result<Work> {
    let before = work()?.passes;
    let round = format!(r#"{{"metadata": {{"annotations": {{"example.com/round": "{number}"}}}}}}"#);
    for (name, _) in SHAPES {
        patch_any(namespace, &["preg", name], &round)?;
    }
    eventually(Duration::from_secs(30), "a pass over each", || {
        Ok(Some(work()?).filter(|now| now.passes >= before + SHAPES.len() as u64))
    })
}

// guarantee 1, operator 2, operator 112: a hundred passes over what has not changed send nothing, to a real API server, and
// every `resourceVersion` is as it was
#[test]
fn idle_passes_send_nothing() -> Result<()> {
    let _alone = ALONE.lock();
    nobody_else()?;
    let namespace = Namespace::create("e2e-idle")?;
    put_inputs(namespace.name())?;
    for (name, spec) in SHAPES {
        apply(namespace.name(), &manifest(name, spec))?;
    }
    // What follows the last pod, such as a tidying pass, ends of itself. A round in which a cache was away for a moment is
    // quiet, too, and what comes back after it is news.
    let mut before = work()?;
    for number in 0..10 {
        for (name, spec) in SHAPES {
            stands(namespace.name(), name, spec)?;
        }
        before = work()?;
        let after = round(namespace.name(), number)?;
        if after.writes == before.writes {
            break;
        }
        before = after;
    }
    let (mut after, kinds, children) = (before, writes()?, said(namespace.name())?);
    ensure!(children.len() > 8 * SHAPES.len(), "only {children:?}");
    for number in 10..30 {
        after = round(namespace.name(), number)?;
    }
    let now = said(namespace.name())?;
    let keys = children.keys().chain(now.keys());
    let changed: Vec<_> = keys
        .filter(|key| children.get(*key) != now.get(*key))
        .map(|key| format!("{key} was {:?} and is {:?}", children.get(key), now.get(key)))
        .collect();
    ensure!(
        after.writes == before.writes,
        "{} writes in {} idle passes: {:?}, which were {kinds:?}; not as they were: {changed:#?}",
        after.writes - before.writes,
        after.passes - before.passes,
        writes()?.difference(&kinds)
    );
    ensure!(changed.is_empty(), "not as they were: {changed:#?}");
    println!("{} idle passes wrote nothing", after.passes - before.passes);
    Ok(())
}
