//! Passes over what has not changed.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{patch_any, until},
    process::{eventually, run},
};

use crate::{ALONE, OPERATOR, SYSTEM};

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
        "{storage: {ephemeral: {}}, tls: {disabled: {}}, cache: {none: {}}, pod: {resources: {limits: {cpu: 1, memory: 1024Mi}},
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

/// A counter of the operator, over all its labels.
fn counted(metrics: &str, name: &str) -> u64 {
    let of = |line: &&str| line.split([' ', '{']).next() == Some(name);
    let values = metrics.lines().filter(of).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters")]
    values.map(|value| value as u64).sum()
}

/// Passes, and what they wrote: children, status, Events.
fn work() -> Result<(u64, u64)> {
    let operators = format!("app.kubernetes.io/name={OPERATOR}");
    let pods = get(SYSTEM, &["pods", "-l", &operators, "--field-selector=status.phase=Running"])?;
    let pod = pods["items"][0]["metadata"]["name"].as_str().context("no operator")?;
    let path = format!("/api/v1/namespaces/{SYSTEM}/pods/http:{pod}:8080/proxy/metrics");
    let metrics = run(&mut kubectl(&["get", "--raw", &path]))?;
    let writes: Vec<&str> = metrics.lines().filter(|line| !line.contains("verb=\"get\"")).collect();
    let writes = writes.join("\n");
    let wrote = counted(&writes, "preg_requests_total") + counted(&writes, "preg_events_total");
    Ok((counted(&metrics, "preg_passes_total"), wrote))
}

/// One more pass over each: a label of the object is nothing that the operator reads.
fn round(namespace: &str, number: u64) -> Result<(u64, u64)> {
    let (before, _) = work()?;
    let label = format!("{{\"metadata\": {{\"labels\": {{\"round\": \"r{number}\"}}}}}}");
    for (name, _) in SHAPES {
        patch_any(namespace, &["preg", name], &label)?;
    }
    eventually(Duration::from_secs(30), "a pass over each", || {
        Ok(Some(work()?).filter(|now| now.0 >= before + SHAPES.len() as u64))
    })
}

// guarantee 1, operator 2, operator 112: a hundred passes over what has not changed send nothing, to a real API server
#[test]
fn idle_passes_send_nothing() -> Result<()> {
    let _alone = ALONE.lock();
    let namespace = Namespace::create("e2e-idle")?;
    for (name, spec) in SHAPES {
        apply(namespace.name(), &e2e::object::manifest(name, spec))?;
    }
    for (name, _) in SHAPES {
        until(namespace.name(), name, "Available", "True/PodsReady")?;
        until(namespace.name(), name, "Progressing", "False/RolledOut")?;
    }
    // What follows the last pod, such as a tidying pass, ends of itself.
    let mut before = work()?;
    for number in 0..10 {
        let after = round(namespace.name(), number)?;
        let quiet = after.1 == before.1;
        before = after;
        if quiet {
            break;
        }
    }
    let mut after = before;
    for number in 10..30 {
        after = round(namespace.name(), number)?;
    }
    ensure!(after.1 == before.1, "{} writes in {} idle passes", after.1 - before.1, after.0 - before.0);
    println!("{} idle passes wrote nothing", after.0 - before.0);
    Ok(())
}
