//! A Redis of the user's own that is wrong, or out of reach.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, kubectl},
    namespace::Namespace,
    object::{apply_object, condition, patch_any, settled, until},
    process::{eventually, eventually_each, run},
    registry::pushes,
};

use crate::clients::six_line_registry;

/// Redis of `other` as one that the user runs, and how `team` is told of it.
pub fn redis_of_ones_own(namespace: &str) -> Result<String> {
    // The managed Redis of a neighbour is the user's own here: its policy is open to this test's namespace only.
    apply_object(namespace, "other", "{storage: {ephemeral: {}}, networkPolicy: {mode: Disabled}}")?;
    settled(namespace, "other")?;
    until(namespace, "other", "CacheReady", "True/Connected")?;
    Ok(format!("other-redis.{namespace}.svc:6379"))
}

/// Has the operator look at the cache again and again until it says so: by itself it looks every minute, and the node's
/// firewall takes a moment to hear of a policy. An annotation that is not ours has it look, and says nothing to it.
fn seen(namespace: &str, wanted: &str, words: &str) -> Result<()> {
    let mut looks = 0;
    eventually_each(Duration::from_secs(2), Duration::from_secs(60), wanted, || {
        looks += 1;
        let look =
            format!(r#"{{"metadata": {{"annotations": {{"example.com/look": "{wanted} {looks}"}}}}}}"#);
        patch_any(namespace, &["preg", "team"], &look)?;
        let (now, message) = condition(namespace, "team", "CacheReady")?;
        ensure!(now == wanted && message.contains(words), "{now}: {message}");
        Ok(Some(()))
    })
}

// operator 79: a firewall before Redis is said, is a degradation two minutes later, and costs no request
#[test]
fn a_redis_behind_a_firewall_costs_no_request() -> Result<()> {
    let namespace = Namespace::create("e2e-redis-cut")?;
    let registry = Arc::new(six_line_registry(namespace.name())?);
    until(namespace.name(), "team", "CacheReady", "True/Connected")?;
    let (pods, load) = (registry.pods()?, pushes(&registry)?);
    let nowhere = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: nowhere}, spec: {
        podSelector: {matchLabels: {app.kubernetes.io/component: registry}}, policyTypes: [Egress]}}";
    apply(namespace.name(), nowhere)?;
    // What is connected stays connected.
    let in_namespace = |args: &[&str]| run(kubectl(&["-n", namespace.name()]).args(args));
    in_namespace(&["delete", "pod", "-l", "app.kubernetes.io/component=redis", "--wait"])?;
    in_namespace(&["rollout", "status", "deployment/team-redis", "--timeout=60s"])?;
    seen(namespace.name(), "False/Unreachable", "gets no answer from it")?;
    until(namespace.name(), "team", "Ready", "True/AllReady")?;
    eventually(Duration::from_secs(150), "two minutes without Redis to be said", || {
        let (now, message) = condition(namespace.name(), "team", "Degraded")?;
        ensure!(now == "True/CacheUnavailable" && message.contains("gets no answer"), "{now}: {message}");
        Ok(Some(()))
    })?;
    for kind in ["Ready", "Available"] {
        let (now, message) = condition(namespace.name(), "team", kind)?;
        ensure!(now.starts_with("True/"), "{kind} is {now}: {message}");
    }
    in_namespace(&["delete", "networkpolicy", "nowhere"])?;
    seen(namespace.name(), "True/Connected", "")?;
    until(namespace.name(), "team", "Degraded", "False/AsExpected")?;
    let made = load.finish()?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    println!("{made} pushes, none failed");
    Ok(())
}

// operator 103: what is wrong with a Redis of one's own is said; the registry serves all the same
#[test]
fn a_redis_of_ones_own_is_judged() -> Result<()> {
    let namespace = Namespace::create("e2e-own-redis")?;
    let address = redis_of_ones_own(namespace.name())?;
    let spec = |more: &str| {
        format!(
            "{{storage: {{ephemeral: {{}}}}, cache: {{redis: {{external: {{addresses: ['{address}']{more}}}}}}}}}"
        )
    };
    apply_object(namespace.name(), "team", &spec(""))?;
    let said = until(namespace.name(), "team", "CacheReady", "False/AuthenticationFailed")?;
    ensure!(said.contains("credentialsSecretRef"), "{said}");
    settled(namespace.name(), "team")?;
    apply_object(namespace.name(), "team", &spec(", credentialsSecretRef: {name: other-redisauth}"))?;
    until(namespace.name(), "team", "CacheReady", "True/Connected")?;
    apply_object(namespace.name(), "gone", &spec("").replace("other-redis", "nobody"))?;
    until(namespace.name(), "gone", "CacheReady", "False/Unreachable")?;
    settled(namespace.name(), "gone").map(drop)
}
