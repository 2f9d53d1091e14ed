//! A Redis of the registry's own: a cache that may forget everything at any time.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    cluster::quantity::bytes,
    crd::cache::ManagedRedis,
    private_registry::{
        desired::{
            child::{Component, Keep, container_security, labels, metadata_of, selector},
            config_maps::content_hash,
        },
        model::Model,
    },
};

/// uid and gid of the server.
const USER: i64 = 65532;
/// Memory that is asked for, in bytes; a cache begins empty.
const REQUEST: u64 = 32 << 20;
/// Folder of the configuration in the pod.
const CONFIG: &str = "/etc/redis";

/// Its configuration, with the password's SHA-256, as Redis' ACLs take it: whatever the password is, it is one word. The
/// account `probe` may ask whether the server lives, and nothing else, so that no probe needs the password.
pub fn config(redis: &ManagedRedis, password: &str) -> String {
    let (memory, password) = (memory(redis), hex::encode(Sha256::digest(password)));
    format!(
        "port 6379\nprotected-mode no\ndir /tmp\nsave \"\"\nappendonly no\nmaxmemory {memory}\n\
         maxmemory-policy allkeys-lru\nuser default on #{password} ~* &* +@all\n\
         user probe on nopass resetkeys resetchannels -@all +ping\n"
    )
}

/// `maxmemory` in bytes: as asked, and at most three quarters of the limit, so that the kernel never ends the server.
fn memory(redis: &ManagedRedis) -> u64 {
    let wanted = bytes(&redis.max_memory.0).unwrap_or_default();
    let limit = redis.resources.as_ref().and_then(|resources| resources.limits.as_ref()?.get("memory"));
    limit.and_then(|limit| bytes(&limit.0)).map_or(wanted, |limit| wanted.min(limit / 4 * 3))
}

/// Its Service and its Deployment.
pub fn redis(model: &Model, redis: &ManagedRedis, password: &str) -> Vec<Value> {
    vec![service(model), deployment(model, redis, password)]
}

fn service(model: &Model) -> Value {
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": metadata_of(model, &model.names.redis(), Keep::Never, Component::Redis),
        "spec": {"type": "ClusterIP", "selector": selector(model, Component::Redis),
            "ports": [{"name": "redis", "port": 6379, "targetPort": "redis", "protocol": "TCP"}]}})
}

fn deployment(model: &Model, redis: &ManagedRedis, password: &str) -> Value {
    // Read at start only: its change replaces the pod. The uid keeps equal passwords of two registries apart.
    let hash = content_hash(&format!("{}{}", model.owner.uid, config(redis, password)));
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": metadata_of(model, &model.names.redis(), Keep::Never, Component::Redis), "spec": {
        "replicas": i32::from(!model.spec.suspend),
        "revisionHistoryLimit": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": selector(model, Component::Redis)},
        "template": {
            "metadata": {"labels": labels(model, Component::Redis),
                "annotations": {"privateregistry.dev/secrets-hash": hash}},
            "spec": pod(model, redis),
        },
    }})
}

fn pod(model: &Model, redis: &ManagedRedis) -> Value {
    json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "securityContext": {"runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": "redis",
            "image": model.redis_image,
            "command": ["redis-server", format!("{CONFIG}/redis.conf")],
            "ports": [{"name": "redis", "containerPort": 6379, "protocol": "TCP"}],
            "livenessProbe": probe(10, 3),
            "readinessProbe": probe(3, 2),
            "resources": resources(redis),
            "securityContext": container_security(),
            "volumeMounts": [{"name": "config", "mountPath": CONFIG, "readOnly": true},
                             {"name": "tmp", "mountPath": "/tmp"}],
        }],
        "volumes": [
            {"name": "config", "secret": {"secretName": model.names.redis_auth(), "defaultMode": 0o440,
                "items": [{"key": "redis.conf", "path": "redis.conf"}]}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}},
        ],
    })
}

/// A frozen server accepts connections: only an answer shows that it lives.
fn probe(period: i32, failures: i32) -> Value {
    json!({"exec": {"command": ["redis-cli", "-e", "--no-auth-warning", "--user", "probe", "--pass", "none", "ping"]},
        "periodSeconds": period, "timeoutSeconds": 2, "failureThreshold": failures})
}

fn resources(redis: &ManagedRedis) -> Value {
    let limit = bytes(&redis.max_memory.0).unwrap_or_default() / 2 * 3;
    match &redis.resources {
        Some(resources) => json!(resources),
        None => {
            let request = limit.min(REQUEST);
            json!({"requests": {"cpu": "20m", "memory": request.to_string()},
                "limits": {"memory": limit.to_string()}})
        }
    }
}
