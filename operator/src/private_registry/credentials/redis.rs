//! What the registry logs in to Redis with.

use crate::{
    crd::reference::NameRef,
    private_registry::{
        accounts::password,
        credentials::{Credentials, unbroken},
        desired::redis_login::{
            CONFIGURATION, PASSWORD, RedisLogin, RedisLogins, SENTINEL_PASSWORD, SENTINEL_USERNAME, USERNAME,
            redis_auth,
        },
        error::PassError,
        generated::keep,
        model::CacheKind,
        observe::Reader,
    },
};

/// The account of Redis servers that have none.
const DEFAULT_USER: &str = "default";
/// Stands in the file of a password that nobody has given yet: the server wants one there, and Redis refuses it.
const NOT_GIVEN: &str = "not-given-yet";

/// The login for Redis: generated for a managed one, the user's for one of theirs.
pub async fn redis(reader: &Reader<'_>, found: &mut Credentials) -> Result<(), PassError> {
    match &reader.model.cache {
        CacheKind::ManagedRedis(_) => found.redis.server = managed(reader).await?,
        CacheKind::ExternalRedis(external) => {
            if let Some(reference) = &external.credentials_secret_ref {
                found.redis.server = given(reader, reference, USERNAME, PASSWORD).await?;
            }
            if let Some(reference) = &external.sentinel_credentials_secret_ref {
                found.redis.sentinel = given(reader, reference, SENTINEL_USERNAME, SENTINEL_PASSWORD).await?;
            }
        }
        CacheKind::Memory(_) | CacheKind::None => {}
    }
    Ok(())
}

async fn managed(reader: &Reader<'_>) -> Result<RedisLogin, PassError> {
    let fresh = || RedisLogin { username: DEFAULT_USER.into(), password: password::generate() };
    let make = || {
        let logins = RedisLogins { server: fresh(), ..RedisLogins::default() };
        redis_auth(reader.model, &logins).ok_or(PassError::Incomplete("a managed Redis"))
    };
    let kept = keep(reader, &reader.model.names.redis_auth(), make).await?;
    // The server reads it without what a file ends in, so Redis gets it so.
    // Of a Redis of the user's own the Secret had the login: that is nothing for ours.
    let ours = kept.stored.text(CONFIGURATION).is_some() && kept.stored.text(USERNAME).is_none();
    let password = kept.stored.text(PASSWORD).filter(|_| ours).map(|password| password.trim_end().to_owned());
    let password = password.filter(|password| !password.is_empty()).unwrap_or_else(password::generate);
    Ok(RedisLogin { password, ..fresh() })
}

/// The login in a Secret of the user's. What was good before stays in our copy, under these keys, while the Secret is
/// away; `redis_probe` says what is wrong. The password of a managed Redis is none of these: it has no name beside it.
async fn given(
    reader: &Reader<'_>,
    reference: &NameRef,
    username: &str,
    password: &str,
) -> Result<RedisLogin, PassError> {
    let secret = reader.secret(&reference.name).await?;
    let copy = reader.secret(&reader.model.names.redis_auth()).await?;
    // A Secret without a password is as good as none.
    let secret = secret.filter(|secret| secret.text(PASSWORD).is_some());
    let value = |ours: &str, theirs: &str| match (&secret, &copy) {
        (Some(secret), _) => secret.text(theirs),
        (None, Some(copy)) if copy.text(username).is_some() => copy.text(ours),
        (None, Some(_) | None) => None,
    };
    Ok(RedisLogin {
        username: value(username, USERNAME).map_or_else(|| DEFAULT_USER.into(), |name| unbroken(&name)),
        password: value(password, PASSWORD).map_or_else(|| NOT_GIVEN.into(), |value| unbroken(&value)),
    })
}
