//! Asks a Redis of the user's whether it is fit for a cache: it answers, it takes our account, and it forgets instead
//! of refusing when it is full.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    ServerErrorKind, TlsCertificates,
};

use crate::{
    crd::{
        cache::{ExternalRedis, RedisTls},
        condition::reason,
    },
    private_registry::{
        error::{PassError, Problem},
        observe::{Reader, failed},
    },
};

/// How long the server may take for everything.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a Redis of the user's answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It can serve.
    Good,
    /// It cannot, and why.
    Bad(Problem),
}

impl Answer {
    fn bad(reason: &'static str, message: String) -> Self {
        Self::Bad(Problem::new(reason, message))
    }
}

/// Asks the server at the address of `external`.
pub async fn ask(reader: &Reader<'_>, external: &ExternalRedis) -> Result<Answer, PassError> {
    let address = external.addresses.first().map_or("", String::as_str);
    let client = match connect(reader, external, address).await? {
        Ok(client) => client,
        Err(answer) => return Ok(answer),
    };
    let slow = || {
        Answer::bad(
            reason::UNREACHABLE,
            format!("Redis at {address} does not answer; the registry goes on without it"),
        )
    };
    let asked = tokio::time::timeout(PATIENCE, policy(&client)).await;
    Ok(match asked {
        Err(_) => slow(),
        Ok(Err(error)) => refused(address, &error),
        // A server that keeps its settings to itself is believed.
        Ok(Ok(policy)) if policy.as_deref().is_none_or(|policy| policy != "noeviction") => Answer::Good,
        Ok(Ok(_)) => {
            let message = format!(
                "Redis at {address} has maxmemory-policy noeviction: when it is full it refuses instead of forgetting; \
                 set allkeys-lru"
            );
            Answer::bad(reason::EVICTION_POLICY_UNSAFE, message)
        }
    })
}

async fn policy(client: &Client) -> Result<Option<String>, RedisError> {
    let mut connection = client.get_multiplexed_async_connection().await?;
    redis::cmd("PING").query_async::<String>(&mut connection).await?;
    let asked: Result<Vec<String>, RedisError> =
        redis::cmd("CONFIG").arg("GET").arg("maxmemory-policy").query_async(&mut connection).await;
    Ok(asked.ok().and_then(|pair| pair.into_iter().nth(1)))
}

fn refused(address: &str, error: &RedisError) -> Answer {
    let code = error.code().unwrap_or_default();
    let login = error.kind() == ErrorKind::AuthenticationFailed
        || ["WRONGPASS", "NOAUTH", "NOPERM"].contains(&code)
        || matches!(error.kind(), ErrorKind::Server(ServerErrorKind::NoPerm));
    if login {
        let message = format!(
            "Redis at {address} refuses the account of spec.cache.redis.external.credentialsSecretRef: correct it"
        );
        return Answer::bad(reason::AUTHENTICATION_FAILED, message);
    }
    let why = error.to_string();
    Answer::bad(
        reason::UNREACHABLE,
        format!("Redis at {address} cannot be reached: {why}; the registry goes on without it"),
    )
}

/// A client with the account and the CA that the object names; an answer when one of them is missing.
async fn connect(
    reader: &Reader<'_>,
    external: &ExternalRedis,
    address: &str,
) -> Result<Result<Client, Answer>, PassError> {
    let mut login = RedisConnectionInfo::default().set_db(i64::from(external.database));
    if let Some(reference) = &external.credentials_secret_ref {
        let Some(secret) = reader.secret(&reference.name).await? else {
            let message = format!(
                "spec.cache.redis.external.credentialsSecretRef: there is no Secret {}",
                reference.name
            );
            return Ok(Err(Answer::bad(reason::UNREACHABLE, message)));
        };
        if let Some(username) = secret.text("username") {
            login = login.set_username(username.trim_end());
        }
        if let Some(password) = secret.text("password") {
            login = login.set_password(password.trim_end());
        }
    }
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "6379"));
    let (host, port) = (host.to_owned(), port.parse().unwrap_or(6379));
    let certificates = match &external.tls {
        None => None,
        Some(tls) => match certificates(reader, tls).await? {
            Ok(certificates) => Some(certificates),
            Err(answer) => return Ok(Err(answer)),
        },
    };
    let target = match certificates {
        None => ConnectionAddr::Tcp(host, port),
        Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
    };
    let client = target.into_connection_info().and_then(|target| {
        let target = target.set_redis_settings(login);
        certificates
            .map_or_else(|| Client::open(target.clone()), |tls| Client::build_with_tls(target.clone(), tls))
    });
    Ok(client.map_err(|error| refused(address, &error)))
}

async fn certificates(
    reader: &Reader<'_>,
    tls: &RedisTls,
) -> Result<Result<TlsCertificates, Answer>, PassError> {
    let missing = |what: String| {
        Answer::bad(reason::UNREACHABLE, format!("spec.cache.redis.external.tls: there is no {what}"))
    };
    let bundle = &tls.ca_bundle_ref;
    let maps: Api<ConfigMap> = Api::namespaced(reader.client.clone(), &reader.model.names.namespace);
    let map =
        maps.get_opt(&bundle.name).await.map_err(failed(|| format!("read ConfigMap {}", bundle.name)))?;
    let Some(ca) = map.and_then(|map| map.data.unwrap_or_default().remove(&bundle.key)) else {
        return Ok(Err(missing(format!("key {} in a ConfigMap {}", bundle.key, bundle.name))));
    };
    let client_tls = match &tls.client_secret_ref {
        None => None,
        Some(reference) => {
            let secret = reader.secret(&reference.name).await?.unwrap_or_default();
            let Some((certificate, key)) = secret.text("tls.crt").zip(secret.text("tls.key")) else {
                return Ok(Err(missing(format!("Secret {} with tls.crt and tls.key", reference.name))));
            };
            Some(ClientTlsConfig { client_cert: certificate.into_bytes(), client_key: key.into_bytes() })
        }
    };
    Ok(Ok(TlsCertificates { client_tls, root_cert: Some(ca.into_bytes()) }))
}
