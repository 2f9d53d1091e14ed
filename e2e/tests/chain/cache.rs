//! The cache costs speed when it is lost, and nothing else.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{get, kubectl},
    namespace::Namespace,
    object::{apply_object, patch, patch_any, settled, until, until_within},
    pod,
    process::{eventually, run},
    registry::{Registry, pushes, secret},
};

use crate::{clients::six_line_registry, external_redis::redis_of_ones_own, shared::Shared};

/// How long the node may take to give a running pod a Secret that has changed: its sync period, and the look after it.
const HANDED_OVER: Duration = Duration::from_secs(150);

fn redis_pod(namespace: &str) -> Result<String> {
    eventually(Duration::from_secs(60), "a Redis pod", || {
        Ok(pod::pods(namespace, "team", "redis")?.into_iter().next())
    })
}

// operator 79, operator 102, seed D5: deleted, frozen, its password changed and deleted, while images are pushed
#[test]
fn redis_deleted_frozen_and_rekeyed_costs_no_request() -> Result<()> {
    let namespace = Namespace::create("e2e-redis")?;
    let registry = Arc::new(six_line_registry(namespace.name())?);
    until(namespace.name(), "team", "CacheReady", "True/Connected")?;
    let (before, pods) = (redis_pod(namespace.name())?, registry.pods()?);
    let load = pushes(&registry)?;

    run(&mut kubectl(&["-n", namespace.name(), "delete", "pod", &before, "--wait"]))?;
    until(namespace.name(), "team", "CacheReady", "True/Connected")?;

    // That the one before it answered may be all that has been said so far.
    let frozen = eventually(Duration::from_secs(60), "a Redis that runs", || {
        pod::pid(namespace.name(), &redis_pod(namespace.name())?).map(Some)
    })?;
    pod::signal(frozen, "STOP")?;
    until(namespace.name(), "team", "CacheReady", "False/Unreachable")?;
    until(namespace.name(), "team", "Ready", "True/AllReady")?;
    pod::signal(frozen, "CONT")?;
    until(namespace.name(), "team", "CacheReady", "True/Connected")?;

    let changed = r#"{"stringData": {"password": "another-password"}}"#;
    let before = secret(namespace.name(), "team-redisauth", "redis.conf")?;
    patch_any(namespace.name(), &["secret", "team-redisauth"], changed)?;
    eventually(Duration::from_secs(60), "Redis with the new password", || {
        Ok((secret(namespace.name(), "team-redisauth", "redis.conf")? != before).then_some(()))
    })?;
    let kept = secret(namespace.name(), "team-redisauth", "password")?;
    ensure!(kept == "another-password", "the password that was set is lost");
    settled(namespace.name(), "team")?;
    until_within(HANDED_OVER, namespace.name(), "team", "CacheReady", "True/Connected")?;

    let before = redis_pod(namespace.name())?;
    run(&mut kubectl(&["-n", namespace.name(), "delete", "secret", "team-redisauth", "--wait"]))?;
    eventually(Duration::from_secs(60), "Redis with a password of its own again", || {
        let made = secret(namespace.name(), "team-redisauth", "password")?;
        Ok((made != "another-password" && redis_pod(namespace.name())? != before).then_some(()))
    })?;
    settled(namespace.name(), "team")?;
    until_within(HANDED_OVER, namespace.name(), "team", "CacheReady", "True/Connected")?;
    let made = load.finish()?;
    ensure!(pods == registry.pods()?, "the registry's pods were replaced");
    println!("{made} pushes, none failed");
    Ok(())
}

// operator 104: where several pods share the store, a switch costs no request
#[test]
fn the_cache_can_be_switched_there_and_back_under_load() -> Result<()> {
    let namespace = Namespace::create("e2e-caches")?;
    let (_shared, address) = (Shared::create(&namespace)?, redis_of_ones_own(namespace.name())?);
    let spec = "{replicas: 2, storage: {filesystem: {existingClaimName: shared}}}";
    apply_object(namespace.name(), "team", spec)?;
    settled(namespace.name(), "team")?;
    let registry = Arc::new(Registry::ready(namespace.name(), "team")?);
    registry.log_in("admin", &registry.password)?;
    let there = |wanted: usize| {
        eventually(Duration::from_secs(60), "the objects of Redis", || {
            let labels = "app.kubernetes.io/component=redis,app.kubernetes.io/instance=team";
            let kinds = "deployments,services,secrets,networkpolicies";
            let found = get(namespace.name(), &[kinds, "-l", labels])?;
            let count = found["items"].as_array().context("no list")?.len();
            ensure!(count == wanted, "{count} of {wanted}");
            Ok(Some(()))
        })
    };
    there(4)?;
    let load = pushes(&registry)?;
    let external = format!(
        r#"{{"redis": {{"external": {{"addresses": ["{address}"], "credentialsSecretRef": {{"name": "other-redisauth"}}}}}}}}"#
    );
    for (cache, wanted, objects) in [
        // The login for it, and nothing else.
        (external.as_str(), "True/Connected", 1),
        (r#"{"redis": null, "memory": {"maxSize": "16Mi"}}"#, "True/Connected", 0),
        (r#"{"memory": null, "none": {}}"#, "True/NotConfigured", 0),
        ("null", "True/Connected", 4),
    ] {
        patch(namespace.name(), "team", &format!("{{\"cache\": {cache}}}"))?;
        settled(namespace.name(), "team")?;
        until(namespace.name(), "team", "CacheReady", wanted)?;
        there(objects)?;
    }
    let made = load.finish()?;
    println!("{made} pushes, none failed");
    Ok(())
}
