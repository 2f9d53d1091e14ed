//! Files of the registry's pods: each volume with the place where the server finds it.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::{
        deployment::Placement,
        redis_login::keys,
        server_config::{AUTH, BOOT, CLIENTS, DATA, LIVE, REDIS, REDIS_CA, REDIS_CLIENT, TLS, TOKENS},
        server_tokens::{live_of, map_of},
    },
    model::{CacheKind, Model},
};

/// A volume and where it is mounted.
struct Mounted(Value, &'static str);

/// `volumes` of the pod.
pub fn volumes(model: &Model, placement: &Placement, config: &str) -> Value {
    let mut volumes = vec![
        json!({"name": "boot", "configMap": {"name": config}}),
        json!({"name": "live", "configMap": {"name": live_of(model)}}),
    ];
    volumes.extend(accounts(model).map(|Mounted(volume, _)| volume));
    volumes.push(data(model, placement));
    volumes.extend(tokens(model).map(|Mounted(volume, _)| volume));
    if model.encrypted() {
        volumes.push(json!({"name": "tls", "secret": {"secretName": model.names.tls()}}));
    }
    volumes.extend(clients(model).into_iter().chain(redis(model)).map(|Mounted(volume, _)| volume));
    volumes.into()
}

/// `volumeMounts` of the container.
pub fn mounts(model: &Model) -> Value {
    let file = |name: &str, path: &str| json!({"name": name, "mountPath": path, "readOnly": true});
    let of = |Mounted(volume, path): &Mounted| file(volume["name"].as_str().unwrap_or_default(), path);
    let mut mounts = vec![file("boot", BOOT), file("live", LIVE)];
    mounts.extend(accounts(model).as_ref().map(of));
    mounts.push(json!({"name": "data", "mountPath": DATA}));
    mounts.extend(tokens(model).as_ref().map(of));
    if model.encrypted() {
        mounts.push(file("tls", TLS));
    }
    mounts.extend(clients(model).iter().chain(&redis(model)).map(of));
    mounts.into()
}

/// The accounts, where there are any.
fn accounts(model: &Model) -> Option<Mounted> {
    let volume = json!({"name": "auth", "secret": {"secretName": model.names.htpasswd()}});
    model.token_server().is_none().then_some(Mounted(volume, AUTH))
}

/// Keys that sign tokens, or what verifies those of a token server.
fn tokens(model: &Model) -> Option<Mounted> {
    let keys = |_| json!({"name": "tokens", "secret": {"secretName": model.names.token_keys()}});
    let server = |server| json!({"name": "tokens", "configMap": {"name": map_of(model, server)}});
    let volume = model.tokens().map(keys).or_else(|| model.token_server().map(server));
    volume.map(|volume| Mounted(volume, TOKENS))
}

/// Optional: until there are certificates, the server asks for none and does without.
fn clients(model: &Model) -> Option<Mounted> {
    model.spec.tls.as_ref()?.client_ca_ref.as_ref()?;
    let volume = json!({"name": "clients", "configMap": {"name": model.names.clients(), "optional": true}});
    Some(Mounted(volume, CLIENTS))
}

/// Optional where they are the user's: the cache is never what keeps a registry from starting.
fn redis(model: &Model) -> Vec<Mounted> {
    match &model.cache {
        CacheKind::ManagedRedis(_) => login(model).into_iter().collect(),
        CacheKind::ExternalRedis(external) => {
            let secret = |name: &str, secret: &str| json!({"name": name, "secret": {"secretName": secret, "optional": true}});
            let mut all: Vec<Mounted> = login(model).into_iter().collect();
            if let Some(tls) = &external.tls {
                let ca = &tls.ca_bundle_ref;
                let volume = json!({"name": "redis-ca", "configMap": {"name": ca.name, "optional": true,
                    "items": [{"key": ca.key, "path": "ca.crt"}]}});
                all.push(Mounted(volume, REDIS_CA));
                all.extend(
                    tls.client_secret_ref
                        .as_ref()
                        .map(|found| Mounted(secret("redis-client", &found.name), REDIS_CLIENT)),
                );
            }
            all
        }
        CacheKind::Memory(_) | CacheKind::None => vec![],
    }
}

/// The login, from the operator's own copy.
fn login(model: &Model) -> Option<Mounted> {
    let items: Vec<Value> = keys(model).iter().map(|key| json!({"key": key, "path": key})).collect();
    let secret = json!({"secretName": model.names.redis_auth(), "optional": true, "items": items});
    (!items.is_empty()).then(|| Mounted(json!({"name": "redis", "secret": secret}), REDIS))
}

fn data(model: &Model, placement: &Placement) -> Value {
    if let Some(claim) = placement.store.claim() {
        return json!({"name": "data", "persistentVolumeClaim": {"claimName": claim}});
    }
    let limit = model.spec.storage.ephemeral.as_ref().and_then(|ephemeral| ephemeral.size_limit.as_ref());
    match limit {
        None => json!({"name": "data", "emptyDir": {}}),
        Some(limit) => json!({"name": "data", "emptyDir": {"sizeLimit": limit}}),
    }
}
