//! Redis servers of one's own that belong together: a master under Sentinels, and a Redis Cluster.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl, wait},
    namespace::Namespace,
    object::{apply_object, settled, until},
    pod,
    process::{eventually, run},
    registry::{Registry, hello_layout},
};
use serde_json::{Value, json};

/// Where a pod's containers share files.
const SHARED: &str = "/shared";

fn container(name: &str, command: &[&str]) -> Value {
    json!({"name": name, "image": "localhost/redis:7", "imagePullPolicy": "Never", "command": command,
        "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "shared", "mountPath": SHARED}]})
}

/// Makes a pod of these containers, and gives its address.
fn start(namespace: &str, name: &str, containers: &[Value]) -> Result<String> {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": {
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}, "fsGroup": 65532},
        "containers": containers, "volumes": [{"name": "shared", "emptyDir": {}}]}});
    apply(namespace, &pod.to_string())?;
    eventually(Duration::from_secs(60), "the pod's address", || {
        let pod = get(namespace, &["pod", name])?;
        let runs = pod["status"]["containerStatuses"][0]["started"] == true;
        Ok(pod["status"]["podIP"].as_str().filter(|_| runs).map(str::to_owned))
    })
}

const SERVER: [&str; 10] = [
    "redis-server",
    "--save",
    "",
    "--maxmemory",
    "32mb",
    "--maxmemory-policy",
    "allkeys-lru",
    "--protected-mode",
    "no",
    "--loglevel",
];

/// A registry with this cache, an image pushed and pulled; what Redis knows of it is what `keys` counts.
fn serves(namespace: &str, name: &str, external: &Value, keys: impl Fn() -> Result<u64>) -> Result<()> {
    let spec = json!({"storage": {"ephemeral": {}}, "cache": {"redis": {"external": external}}});
    apply_object(namespace, name, &spec.to_string())?;
    settled(namespace, name)?;
    until(namespace, name, "CacheReady", "True/Connected")?;
    let registry = Registry::ready(namespace, name)?;
    registry.log_in("admin", &registry.password)?;
    let image = registry.reference("hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;
    run(&mut registry.crane(&["validate", "--remote", &image]))?;
    eventually(Duration::from_secs(30), "keys in Redis", || Ok((keys()? > 0).then_some(())))
}

fn size(namespace: &str, pod: &str) -> Result<u64> {
    let said =
        run(&mut kubectl(&["-n", namespace, "exec", pod, "-c", "redis", "--", "redis-cli", "dbsize"]))?;
    said.trim().rsplit(' ').next().unwrap_or_default().parse().with_context(|| said.clone())
}

// registry RC13, on the cluster
#[test]
fn a_master_under_sentinels_is_found_and_used() -> Result<()> {
    let namespace = Namespace::create("e2e-sentinel")?;
    let server: Vec<&str> = SERVER.into_iter().chain(["notice"]).collect();
    let configuration = format!("{SHARED}/sentinel.conf");
    let sentinel = ["redis-server", &configuration, "--sentinel"];
    // The Sentinel ends until its file is there, and is started again.
    let containers = [container("redis", &server), container("sentinel", &sentinel)];
    let ip = start(namespace.name(), "master", &containers)?;
    let settings = format!("sentinel monitor main {ip} 6379 1\nprotected-mode no\n");
    let root = format!("/proc/{}/root{configuration}", pod::pid(namespace.name(), "master")?);
    fs::write(&root, settings)?;
    fs::set_permissions(&root, std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
    wait(namespace.name(), "pod/master", "condition=Ready", 90)?;
    let external =
        json!({"mode": "Sentinel", "addresses": [format!("{ip}:26379")], "sentinelMaster": "main"});
    serves(namespace.name(), "team", &external, || size(namespace.name(), "master"))
}

// registry RC13, on the cluster
#[test]
fn a_redis_cluster_is_used() -> Result<()> {
    let namespace = Namespace::create("e2e-rediscluster")?;
    let nodes = format!("{SHARED}/nodes.conf");
    let more = [
        "notice",
        "--cluster-enabled",
        "yes",
        "--cluster-config-file",
        &nodes,
        "--cluster-announce-ip",
        "$(IP)",
    ];
    let server: Vec<&str> = SERVER.into_iter().chain(more).collect();
    let names = ["one", "other"];
    let mut addresses = Vec::new();
    for name in names {
        addresses.push(start(namespace.name(), name, &[container("redis", &server)])?);
    }
    let ask = |name: &str, words: &[&str]| {
        run(kubectl(&["-n", namespace.name(), "exec", name, "--", "redis-cli", "cluster"]).args(words))
    };
    ask("one", &["addslotsrange", "0", "8191"])?;
    ask("other", &["addslotsrange", "8192", "16383"])?;
    ask("one", &["meet", &addresses[1], "6379"])?;
    for name in names {
        eventually(Duration::from_secs(60), "the cluster to be whole", || {
            let said = ask(name, &["info"])?;
            ensure!(said.contains("cluster_state:ok") && said.contains("cluster_known_nodes:2"), "{said}");
            Ok(Some(()))
        })?;
    }
    let addresses: Vec<String> = addresses.iter().map(|ip| format!("{ip}:6379")).collect();
    let external = json!({"mode": "Cluster", "addresses": addresses});
    serves(namespace.name(), "team", &external, || {
        names.iter().map(|name| size(namespace.name(), name)).sum()
    })
}
