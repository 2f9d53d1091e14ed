//! Asks a Redis of the user's whether it is fit for a cache: it answers, it takes our account, and it forgets instead
//! of refusing when it is full.

mod connect;

use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::{
    crd::{
        cache::{ExternalRedis, RedisMode},
        condition::reason,
    },
    private_registry::{
        desired::redis_login::RedisLogins,
        error::{PassError, Problem},
        observe::Reader,
        redis_probe::connect::Connector,
    },
};

/// How long one conversation may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a Redis of the user's answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It can serve.
    Good,
    /// It cannot, and why.
    Bad(Problem),
}

/// Asks the servers that `external` names, all at once, with the logins that the pods use.
pub async fn ask(
    reader: &Reader<'_>,
    external: &ExternalRedis,
    logins: &RedisLogins,
) -> Result<Answer, PassError> {
    let connector = match Connector::of(reader, external, logins).await? {
        Ok(connector) => connector,
        Err(problem) => return Ok(Answer::Bad(problem)),
    };
    let addresses = || external.addresses.iter();
    let asked = match external.mode {
        RedisMode::Standalone => any(addresses().map(|address| server(&connector, address))).await,
        RedisMode::Cluster => any(addresses().map(|address| node(&connector, address))).await,
        RedisMode::Sentinel => {
            let name = external.sentinel_master.as_deref().unwrap_or_default();
            match any(addresses().map(|address| master(&connector, address, name))).await {
                Ok(address) => server(&connector, &address).await,
                Err(problem) => Err(problem),
            }
        }
    };
    Ok(asked.map_or_else(Answer::Bad, |()| Answer::Good))
}

/// What one of them says that has something good to say, or the problem of the last one.
async fn any<T>(asked: impl Iterator<Item = impl Future<Output = Result<T, Problem>>>) -> Result<T, Problem> {
    let mut problem = Problem::new(reason::UNREACHABLE, "spec.cache.redis.external.addresses is empty");
    for answer in futures::future::join_all(asked).await {
        match answer {
            Ok(found) => return Ok(found),
            Err(found) => problem = found,
        }
    }
    Err(problem)
}

/// One server, or a master.
async fn server(connector: &Connector, address: &str) -> Result<(), Problem> {
    let policy = talk(address, "credentialsSecretRef", async {
        let mut connection = connector.server(address)?.get_multiplexed_async_connection().await?;
        redis::cmd("PING").query_async::<String>(&mut connection).await?;
        let asked: Result<Vec<String>, RedisError> =
            redis::cmd("CONFIG").arg("GET").arg("maxmemory-policy").query_async(&mut connection).await;
        // A server that keeps its settings to itself is believed.
        Ok(asked.ok().and_then(|pair| pair.into_iter().nth(1)))
    });
    if policy.await?.is_some_and(|policy| policy == "noeviction") {
        let message = format!(
            "Redis at {address} has maxmemory-policy noeviction: when it is full it refuses instead of forgetting; \
             set allkeys-lru"
        );
        return Err(Problem::new(reason::EVICTION_POLICY_UNSAFE, message));
    }
    Ok(())
}

/// One node of a cluster that is whole.
async fn node(connector: &Connector, address: &str) -> Result<(), Problem> {
    let info = talk(address, "credentialsSecretRef", async {
        let mut connection = connector.server(address)?.get_multiplexed_async_connection().await?;
        redis::cmd("CLUSTER").arg("INFO").query_async::<String>(&mut connection).await
    });
    if !info.await?.contains("cluster_state:ok") {
        let message = format!(
            "Redis at {address} says that its cluster is not whole: see there what CLUSTER INFO says; the registry goes \
             on without it"
        );
        return Err(Problem::new(reason::UNREACHABLE, message));
    }
    server(connector, address).await
}

/// `host:port` of the master called `name`, from a Sentinel.
async fn master(connector: &Connector, address: &str, name: &str) -> Result<String, Problem> {
    let found = talk(address, "sentinelCredentialsSecretRef", async {
        let mut connection = connector.sentinel(address)?.get_multiplexed_async_connection().await?;
        let mut ask = redis::cmd("SENTINEL");
        ask.arg("get-master-addr-by-name").arg(name);
        ask.query_async::<Option<(String, u16)>>(&mut connection).await
    });
    let unknown = || {
        let message = format!(
            "the Sentinel at {address} knows no master called {name}: correct spec.cache.redis.external.sentinelMaster"
        );
        Problem::new(reason::UNREACHABLE, message)
    };
    found.await?.map(|(host, port)| format!("{host}:{port}")).ok_or_else(unknown)
}

/// One conversation, in time; what goes wrong in it is told with the field of the account that was used.
async fn talk<T>(
    address: &str,
    account: &str,
    words: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(PATIENCE, words).await {
        Ok(said) => said.map_err(|error| refused(address, account, &error)),
        Err(_) => {
            let message = format!("Redis at {address} does not answer; the registry goes on without it");
            Err(Problem::new(reason::UNREACHABLE, message))
        }
    }
}

fn refused(address: &str, account: &str, error: &RedisError) -> Problem {
    let code = error.code().unwrap_or_default();
    let login = error.kind() == ErrorKind::AuthenticationFailed
        || ["WRONGPASS", "NOAUTH", "NOPERM"].contains(&code)
        || matches!(error.kind(), ErrorKind::Server(ServerErrorKind::NoPerm));
    if login {
        let message = format!(
            "Redis at {address} refuses the account of spec.cache.redis.external.{account}: correct it"
        );
        return Problem::new(reason::AUTHENTICATION_FAILED, message);
    }
    let message = format!("Redis at {address} cannot be reached: {error}; the registry goes on without it");
    Problem::new(reason::UNREACHABLE, message)
}
