//! What the registry logs in to Redis with.

use crate::private_registry::{
    accounts::password,
    credentials::{Credentials, unbroken},
    desired::secrets::{self, RedisLogin},
    error::PassError,
    generated::keep,
    model::CacheKind,
    observe::Reader,
};

/// The account of Redis servers that have none.
const DEFAULT_USER: &str = "default";
/// Stands in the file of a password that nobody has given yet: the server wants one there, and Redis refuses it.
const NOT_GIVEN: &str = "not-given-yet";

/// The login for Redis: generated for a managed one, the user's for one of theirs.
pub async fn redis(reader: &Reader<'_>, found: &mut Credentials) -> Result<(), PassError> {
    let name = reader.model.names.redis_auth();
    let fresh = || RedisLogin { username: DEFAULT_USER.into(), password: password::generate() };
    match &reader.model.cache {
        CacheKind::ManagedRedis(_) => {
            let make = || {
                secrets::redis_auth(reader.model, &fresh()).ok_or(PassError::Incomplete("a managed Redis"))
            };
            let kept = keep(reader, &name, make).await?;
            let password = kept.stored.text("password").unwrap_or_else(password::generate);
            found.redis = RedisLogin { password, ..fresh() };
        }
        CacheKind::ExternalRedis(external) => {
            let Some(reference) = &external.credentials_secret_ref else { return Ok(()) };
            // What was good before stays while the Secret is away; `redis_probe` says what is wrong.
            let given = reader.secret(&reference.name).await?;
            let last = if given.is_none() { reader.secret(&name).await? } else { None };
            let stored = given.or(last).unwrap_or_default();
            found.redis = RedisLogin {
                username: stored.text("username").unwrap_or_else(|| DEFAULT_USER.into()),
                password: stored.text("password").map_or_else(|| NOT_GIVEN.into(), |value| unbroken(&value)),
            };
        }
        CacheKind::Memory(_) | CacheKind::None => {}
    }
    Ok(())
}
