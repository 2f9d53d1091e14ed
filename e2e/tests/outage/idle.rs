//! Passes over what has not changed.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, kubectl},
    namespace::Namespace,
    object::{condition, patch_any, until},
    operator::{Work, work, writes},
    process::{eventually, run},
};

use crate::ALONE;

/// Registries of many shapes: what the API server adds to their children differs.
const SHAPES: [(&str, &str); 5] = [
    ("plain", "{storage: {filesystem: {size: 1Gi}}}"),
    (
        "outside",
        "{storage: {ephemeral: {sizeLimit: 2048Mi}}, replicas: 1, exposure: {hostnames: [registry.example.com],
          service: {type: NodePort, externalTrafficPolicy: Local, httpRedirect: Enabled}},
          networkPolicy: {metricsFrom: [{podSelector: {}}], egress: [{ports: [{port: 443}]}, {to: [{podSelector: {}}]}]}}",
    ),
    ("cloud", "{storage: {ephemeral: {}}, cache: {memory: {}}, exposure: {service: {type: LoadBalancer}}}"),
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
          cache: {redis: {managed: {maxMemory: 64Mi}}}, deletionPolicy: Delete}",
    ),
];

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

// guarantee 1, operator 2, operator 112: a hundred passes over what has not changed send nothing, to a real API server
#[test]
fn idle_passes_send_nothing() -> Result<()> {
    let _alone = ALONE.lock();
    nobody_else()?;
    let namespace = Namespace::create("e2e-idle")?;
    for (name, spec) in SHAPES {
        apply(namespace.name(), &e2e::object::manifest(name, spec))?;
    }
    for (name, _) in SHAPES {
        until(namespace.name(), name, "Available", "True/PodsReady")?;
        until(namespace.name(), name, "Progressing", "False/RolledOut")?;
        // Redis may be ready after the pods that use it: that is news.
        eventually(Duration::from_secs(60), "a cache", || {
            Ok(condition(namespace.name(), name, "CacheReady")?.0.starts_with("True/").then_some(()))
        })?;
    }
    // What follows the last pod, such as a tidying pass, ends of itself.
    let mut before = work()?;
    for number in 0..10 {
        let after = round(namespace.name(), number)?;
        let quiet = after.writes == before.writes;
        before = after;
        if quiet {
            break;
        }
    }
    let (mut after, kinds) = (before, writes()?);
    for number in 10..30 {
        after = round(namespace.name(), number)?;
    }
    ensure!(
        after.writes == before.writes,
        "{} writes in {} idle passes: {:?}, which were {kinds:?}",
        after.writes - before.writes,
        after.passes - before.passes,
        writes()?.difference(&kinds)
    );
    println!("{} idle passes wrote nothing", after.passes - before.passes);
    Ok(())
}
