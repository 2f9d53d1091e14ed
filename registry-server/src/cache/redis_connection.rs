//! A connection to Redis: to one server, to the master that Sentinels name, or to a cluster.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo, RedisConnectionInfo, TlsMode,
    aio::MultiplexedConnection,
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};

use crate::cache::redis_address::{Address, Failure, HostPort, Login, Servers};

/// How long one call may take.
pub const PATIENCE: Duration = Duration::from_millis(250);
/// How long one server may take to accept a connection. A Sentinel or a node that is frozen must not use up
/// [`WHOLE`], because the others still know where to go.
const EACH: Duration = Duration::from_secs(1);
/// How long it may take until there is a connection, all servers that have to be asked included.
const WHOLE: Duration = Duration::from_secs(4);
/// How often a command follows a cluster that changes, and the longest wait in between: all within [`PATIENCE`].
const FOLLOWED: u32 = 3;
const BETWEEN: u64 = 50;

/// A connection, which is cheap to clone.
#[derive(Clone)]
pub enum Connection {
    /// To one server.
    One(MultiplexedConnection),
    /// To the nodes of a cluster.
    Cluster(ClusterConnection),
}

impl Connection {
    /// A connection that logs in with what the files say now.
    pub async fn open(address: &Address) -> Result<Self, Failure> {
        let opened = async {
            match &address.servers {
                Servers::One(server) => one(address, server).await,
                Servers::Sentinels { addresses, master, login } => {
                    master_of(address, addresses, master, login).await
                }
                Servers::Cluster(nodes) => cluster(address, nodes).await,
            }
        };
        tokio::time::timeout(WHOLE, opened).await.unwrap_or(Err(Failure::Slow))
    }

    /// What the command gives.
    pub async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, Failure> {
        Ok(match self {
            Self::One(server) => command.query_async(server).await?,
            Self::Cluster(nodes) => command.query_async(nodes).await?,
        })
    }
}

fn times() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(EACH)).set_response_timeout(Some(PATIENCE))
}

async fn one(address: &Address, server: &HostPort) -> Result<Connection, Failure> {
    let login = address.login.read().await?.set_db(address.database.into());
    let target = address.target(server).into_connection_info()?.set_redis_settings(login);
    let client = match address.certificates().await? {
        Some(certificates) => Client::build_with_tls(target, certificates)?,
        None => Client::open(target)?,
    };
    Ok(Connection::One(client.get_multiplexed_async_connection_with_config(&times()).await?))
}

async fn master_of(
    address: &Address,
    sentinels: &[HostPort],
    master: &str,
    login: &Login,
) -> Result<Connection, Failure> {
    let targets: Vec<_> = sentinels.iter().map(|sentinel| address.target(sentinel)).collect();
    let builder = SentinelClientBuilder::new(targets, master, SentinelServerType::Master)?
        .set_client_to_redis_db(address.database.into());
    let mut builder = with_logins(builder, &address.login.read().await?, &login.read().await?);
    if let Some(certificates) = address.certificates().await? {
        builder = builder
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates);
    }
    Ok(Connection::One(builder.build()?.get_async_connection_with_config(&times()).await?))
}

fn with_logins(
    mut builder: SentinelClientBuilder,
    values: &RedisConnectionInfo,
    sentinels: &RedisConnectionInfo,
) -> SentinelClientBuilder {
    if let Some(username) = values.username() {
        builder = builder.set_client_to_redis_username(username);
    }
    if let Some(password) = values.password() {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(username) = sentinels.username() {
        builder = builder.set_client_to_sentinel_username(username);
    }
    if let Some(password) = sentinels.password() {
        builder = builder.set_client_to_sentinel_password(password);
    }
    builder
}

async fn cluster(address: &Address, nodes: &[HostPort]) -> Result<Connection, Failure> {
    let login = address.login.read().await?;
    let node = |node| Ok(address.target(node).into_connection_info()?.set_redis_settings(login.clone()));
    let nodes = nodes.iter().map(node).collect::<Result<Vec<_>, Failure>>()?;
    let mut builder = ClusterClient::builder(nodes)
        .connection_timeout(EACH)
        .response_timeout(PATIENCE)
        .retries(FOLLOWED)
        .min_retry_wait(1)
        .max_retry_wait(BETWEEN);
    if let Some(certificates) = address.certificates().await? {
        builder = builder.certs(certificates);
    }
    Ok(Connection::Cluster(builder.build()?.get_async_connection().await?))
}
