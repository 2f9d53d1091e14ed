//! What pods log in to Redis with. A login of the user's is copied: pods never wait for a Secret of somebody else's, and
//! each file that the server reads is there.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::private_registry::{
    desired::{
        child::{Component, Keep, metadata_of},
        redis,
        secrets::secret,
    },
    model::{CacheKind, Model},
};

/// Key of the account's name, where it is the user's.
pub const USERNAME: &str = "username";
/// Key of the password.
pub const PASSWORD: &str = "password";
/// Key of the account's name at Sentinels.
pub const SENTINEL_USERNAME: &str = "sentinel-username";
/// Key of the configuration of a managed Redis.
pub const CONFIGURATION: &str = "redis.conf";
/// Key of the password at Sentinels.
pub const SENTINEL_PASSWORD: &str = "sentinel-password";

/// An account of a Redis server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedisLogin {
    /// Its name; `default` is that of servers without accounts.
    pub username: String,
    /// Its password.
    pub password: String,
}

/// Accounts of one Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedisLogins {
    /// At the server, or at each of a cluster.
    pub server: RedisLogin,
    /// At its Sentinels.
    pub sentinel: RedisLogin,
}

/// Keys that the pods get as files.
pub fn keys(model: &Model) -> Vec<&'static str> {
    match &model.cache {
        CacheKind::ManagedRedis(_) => vec![PASSWORD],
        CacheKind::ExternalRedis(external) => {
            let mut keys = Vec::new();
            if external.credentials_secret_ref.is_some() {
                keys.extend([USERNAME, PASSWORD]);
            }
            if external.sentinel_credentials_secret_ref.is_some() {
                keys.extend([SENTINEL_USERNAME, SENTINEL_PASSWORD]);
            }
            keys
        }
        CacheKind::Memory(_) | CacheKind::None => vec![],
    }
}

/// The Secret with the logins and, for a managed Redis, its configuration; none where nobody logs in.
pub fn redis_auth(model: &Model, logins: &RedisLogins) -> Option<Value> {
    let value = |key| match key {
        USERNAME => logins.server.username.clone(),
        SENTINEL_USERNAME => logins.sentinel.username.clone(),
        SENTINEL_PASSWORD => logins.sentinel.password.clone(),
        _ => logins.server.password.clone(),
    };
    let mut data: BTreeMap<&'static str, String> =
        keys(model).into_iter().map(|key| (key, value(key))).collect();
    if let CacheKind::ManagedRedis(managed) = &model.cache {
        data.insert(CONFIGURATION, redis::config(managed, &logins.server.password));
    }
    let metadata = metadata_of(model, &model.names.redis_auth(), Keep::Never, Component::Redis);
    (!data.is_empty()).then(|| secret(metadata, "Opaque", &data))
}
