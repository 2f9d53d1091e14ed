//! Connections with the accounts and the CA that the object names.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    TlsCertificates,
};

use crate::{
    crd::{
        cache::{ExternalRedis, RedisTls},
        condition::reason,
    },
    private_registry::{
        desired::redis_login::{RedisLogin, RedisLogins},
        error::{PassError, Problem},
        observe::{Reader, failed},
    },
};

/// What every connection needs.
pub struct Connector {
    certificates: Option<TlsCertificates>,
    server: RedisConnectionInfo,
    sentinel: RedisConnectionInfo,
}

impl Connector {
    /// With what `external` names; a problem when one of these is missing.
    pub async fn of(
        reader: &Reader<'_>,
        external: &ExternalRedis,
        logins: &RedisLogins,
    ) -> Result<Result<Self, Problem>, PassError> {
        let (server, sentinel) =
            (&external.credentials_secret_ref, &external.sentinel_credentials_secret_ref);
        for (reference, field) in
            [(server, "credentialsSecretRef"), (sentinel, "sentinelCredentialsSecretRef")]
        {
            let Some(reference) = reference else { continue };
            if reader.secret(&reference.name).await?.is_none() {
                return Ok(Err(missing(field, &format!("Secret {}", reference.name))));
            }
        }
        let certificates = match &external.tls {
            None => None,
            Some(tls) => match certificates(reader, tls).await? {
                Ok(certificates) => Some(certificates),
                Err(problem) => return Ok(Err(problem)),
            },
        };
        let server = server.as_ref().map_or_else(RedisConnectionInfo::default, |_| info(&logins.server));
        let sentinel =
            sentinel.as_ref().map_or_else(RedisConnectionInfo::default, |_| info(&logins.sentinel));
        Ok(Ok(Self { certificates, server: server.set_db(i64::from(external.database)), sentinel }))
    }

    /// A client of the server at `host:port`.
    pub fn server(&self, address: &str) -> Result<Client, RedisError> {
        self.client(address, self.server.clone())
    }

    /// A client of the Sentinel at `host:port`.
    pub fn sentinel(&self, address: &str) -> Result<Client, RedisError> {
        self.client(address, self.sentinel.clone())
    }

    fn client(&self, address: &str, login: RedisConnectionInfo) -> Result<Client, RedisError> {
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "6379"));
        let (host, port) = (host.to_owned(), port.parse().unwrap_or(6379));
        match &self.certificates {
            None => {
                let target = ConnectionAddr::Tcp(host, port).into_connection_info()?;
                Client::open(target.set_redis_settings(login))
            }
            Some(certificates) => {
                let target = ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None };
                let target = target.into_connection_info()?.set_redis_settings(login);
                Client::build_with_tls(target, certificates.clone())
            }
        }
    }
}

fn missing(field: &str, what: &str) -> Problem {
    Problem::new(
        reason::UNREACHABLE,
        format!("spec.cache.redis.external.{field}: there is no {what}: make it, or correct the name"),
    )
}

fn info(login: &RedisLogin) -> RedisConnectionInfo {
    RedisConnectionInfo::default().set_username(&login.username).set_password(&login.password)
}

async fn certificates(
    reader: &Reader<'_>,
    tls: &RedisTls,
) -> Result<Result<TlsCertificates, Problem>, PassError> {
    let bundle = &tls.ca_bundle_ref;
    let maps: Api<ConfigMap> = Api::namespaced(reader.client.clone(), &reader.model.names.namespace);
    let map =
        maps.get_opt(&bundle.name).await.map_err(failed(|| format!("read ConfigMap {}", bundle.name)))?;
    let Some(ca) = map.and_then(|map| map.data.unwrap_or_default().remove(&bundle.key)) else {
        let what = format!("key {} in a ConfigMap {}", bundle.key, bundle.name);
        return Ok(Err(missing("tls.caBundleRef", &what)));
    };
    let client_tls = match &tls.client_secret_ref {
        None => None,
        Some(reference) => {
            let secret = reader.secret(&reference.name).await?.unwrap_or_default();
            let Some((certificate, key)) = secret.text("tls.crt").zip(secret.text("tls.key")) else {
                let what = format!("Secret {} with tls.crt and tls.key", reference.name);
                return Ok(Err(missing("tls.clientSecretRef", &what)));
            };
            Some(ClientTlsConfig { client_cert: certificate.into_bytes(), client_key: key.into_bytes() })
        }
    };
    Ok(Ok(TlsCertificates { client_tls, root_cert: Some(ca.into_bytes()) }))
}
