//! The server's two files: boot (its change replaces pods) and live (running pods take it over).

use registry_config::{
    duration::GoDuration,
    schema::{
        AuditLog, Auth, Cache, CacheKind as Caching, ClientAuth, ClientIdentity as Kind, Config, Debug,
        Filesystem, Formatter, Htpasswd, Http, Level, Limits, LiveFile, Log, MinimumHash, Network, Redirect,
        Redis, RedisTls, Storage, Tls,
    },
};

use crate::{
    cluster::quantity::bytes,
    crd::{
        cache::ExternalRedis,
        logging::{AccessLines, AuditLines, LogFormat, LogLevel},
        oidc::Oidc,
        registry::{ImageDeletion, PrivateRegistrySpec},
        tls::ClientIdentity,
    },
    private_registry::{
        desired::{
            config_maps::content_hash,
            redis_login::{PASSWORD, SENTINEL_PASSWORD, SENTINEL_USERNAME, USERNAME, keys},
            server_access::{self, Issuers},
            server_repositories, server_tokens,
        },
        error::ResolveError,
        model::{CacheKind, Model},
    },
};

/// Folder of the boot file in the pod.
pub const BOOT: &str = "/etc/registry/boot";
/// Folder of the live file in the pod.
pub const LIVE: &str = "/etc/registry/live";
/// Folder of certificate and key in the pod.
pub const TLS: &str = "/etc/registry/tls";
/// Folder of the password file in the pod.
pub const AUTH: &str = "/etc/registry/auth";
/// Folder of the keys that sign tokens, or verify those of a token server, in the pod.
pub const TOKENS: &str = "/etc/registry/tokens";
/// Folder of the Redis account in the pod.
pub const REDIS: &str = "/etc/registry/redis";
/// Folder of the CA of a Redis of the user's in the pod.
pub const REDIS_CA: &str = "/etc/registry/redis-ca";
/// Folder of the client certificate for a Redis of the user's in the pod.
pub const REDIS_CLIENT: &str = "/etc/registry/redis-client";
/// Folder of the images in the pod.
pub const DATA: &str = "/var/lib/registry";
/// The public keys of those who sign tokens of service accounts, in the folder of the live file.
pub const KEYS: &str = "serviceaccounts.jwks";
/// The public keys of an issuer of `auth.oidc`, in the folder of the live file. Another issuer of the same name has another
/// file: the last good keys of the one before never count for it.
pub fn keys_of(issuer: &Oidc) -> String {
    format!("oidc-{}-{}.jwks", issuer.name, content_hash(&issuer.issuer))
}

/// Folder of the CA of clients in the pod.
pub const CLIENTS: &str = "/etc/registry/clients";

/// The account that may only pull.
pub const PULL_USER: &str = "preg-pull";

/// How the server tells its store from another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreIdentity {
    /// What the store must carry; none: whatever it carries.
    pub id: Option<String>,
    /// Whether a store without it, or with another one, is taken.
    pub initialize: bool,
}

/// The boot file.
pub fn boot(model: &Model, identity: &StoreIdentity, issuers: &Issuers) -> Result<String, ResolveError> {
    yaml(&Config {
        log: log(&model.spec),
        storage: Storage {
            filesystem: Some(Filesystem { rootdirectory: DATA.into() }),
            identity: identity.id.clone(),
            cache: cache(&model.cache),
            ..Storage::default()
        },
        redis: redis(model),
        http: Http {
            addr: ":5000".into(),
            // Clients reach it by more than one name.
            host: None,
            tls: model.encrypted().then(|| tls(&model.spec, issuers)),
            debug: Some(Debug { addr: ":5001".into() }),
            redirect: model
                .redirects()
                .then(|| Redirect { addr: ":5080".into(), port: u16::try_from(model.port()).unwrap_or(443) }),
            draintimeout: GoDuration::from_secs(model.spec.drain_timeout.seconds()),
            ..Http::default()
        },
        auth: model.token_server().is_none().then(accounts),
        token: model.token_server().map(server_tokens::token_server),
        builtin: model.tokens().map(server_tokens::built_in),
        live: Some(LiveFile { path: format!("{LIVE}/live.yml").into() }),
        ..Config::default()
    })
}

/// The live file.
pub fn live(
    spec: &PrivateRegistrySpec,
    identity: &StoreIdentity,
    issuers: &Issuers,
) -> Result<String, ResolveError> {
    let mut config = Config::default();
    let logging = spec.logging.clone().unwrap_or_default();
    config.log.level = level(logging.level);
    config.log.accesslog.disabled = logging.access == AccessLines::Disabled;
    config.storage.delete.enabled = spec.image_deletion == ImageDeletion::Enabled;
    config.storage.maintenance.readonly.enabled = spec.read_only;
    config.storage.initialize = identity.initialize;
    let limits = spec.limits.clone().unwrap_or_default();
    config.storage.maintenance.uploadpurging.age = GoDuration::from_secs(limits.upload_expiry.seconds());
    config.limits = Limits {
        maxmanifestsize: bytes(&limits.max_manifest_size.0)
            .unwrap_or_else(|| Limits::default().maxmanifestsize),
        maxblobsize: limits.max_blob_size.and_then(|size| bytes(&size.0)),
    };
    config.trustedproxies = proxies(spec)?;
    config.access = server_access::access(spec)?;
    config.oidc = server_access::oidc(spec);
    config.serviceaccounts =
        issuers.cluster.as_ref().and_then(|issuer| server_access::service_accounts(spec, issuer));
    let htpasswd = spec.auth.as_ref().and_then(|auth| auth.htpasswd.as_ref());
    config.groups = htpasswd.map(|accounts| server_access::groups(&accounts.users)).unwrap_or_default();
    config.immutabletags = server_repositories::immutable(spec)?;
    config.quotas = server_repositories::quotas(spec)?;
    config.warnings = server_repositories::warnings(spec)?;
    yaml(&config)
}

/// The schema lets through only what is a network; one with bits beyond its mask is refused here.
fn proxies(spec: &PrivateRegistrySpec) -> Result<Vec<Network>, ResolveError> {
    let all = spec.exposure.iter().flat_map(|exposure| &exposure.trusted_proxies);
    all.map(|text| Network::try_from(text.clone()).map_err(ResolveError::Text)).collect()
}

/// Until there are certificates of the CA of clients, no client is asked for one: without them the server does not start.
fn tls(spec: &PrivateRegistrySpec, issuers: &Issuers) -> Tls {
    let served = Tls {
        certificate: format!("{TLS}/tls.crt").into(),
        key: format!("{TLS}/tls.key").into(),
        ..Tls::default()
    };
    let clients = spec.tls.as_ref().and_then(|tls| tls.client_ca_ref.as_ref());
    match clients.filter(|_| issuers.clients.is_some()) {
        None => served,
        Some(clients) => Tls {
            clientcas: vec![format!("{CLIENTS}/ca.crt").into()],
            clientauth: ClientAuth::VerifyClientCertIfGiven,
            clientidentity: match clients.identity {
                ClientIdentity::URI => Kind::Uri,
                ClientIdentity::DNS => Kind::Dns,
                ClientIdentity::Email => Kind::Email,
            },
            ..served
        },
    }
}

fn accounts() -> Auth {
    Auth {
        htpasswd: Htpasswd {
            realm: "Registry".into(),
            path: format!("{AUTH}/htpasswd").into(),
            // Lines below the minimum of the object do not come so far.
            minimumhash: MinimumHash::Any,
            pullonly: vec![PULL_USER.into()],
        },
    }
}

fn cache(cache: &CacheKind) -> Option<Cache> {
    match cache {
        CacheKind::ManagedRedis(_) | CacheKind::ExternalRedis(_) => Some(Cache::new(Caching::Redis)),
        CacheKind::Memory(size) => Some(Cache { maxsize: *size, ..Cache::new(Caching::InMemory) }),
        CacheKind::None => None,
    }
}

fn redis(model: &Model) -> Option<Redis> {
    let keys = keys(model);
    let file = |key| keys.contains(&key).then(|| format!("{REDIS}/{key}").into());
    let login = Redis {
        usernamefile: file(USERNAME),
        passwordfile: file(PASSWORD),
        sentinelusernamefile: file(SENTINEL_USERNAME),
        sentinelpasswordfile: file(SENTINEL_PASSWORD),
        ..Redis::default()
    };
    match &model.cache {
        CacheKind::ManagedRedis(_) => Some(Redis {
            addrs: vec![format!("{}.{}.svc:6379", model.names.redis(), model.names.namespace)],
            ..login
        }),
        CacheKind::ExternalRedis(external) => Some(Redis {
            addrs: external.addresses.clone(),
            mastername: external.sentinel_master.clone(),
            db: external.database,
            tls: redis_tls(external),
            ..login
        }),
        CacheKind::Memory(_) | CacheKind::None => None,
    }
}

fn redis_tls(external: &ExternalRedis) -> Option<RedisTls> {
    let tls = external.tls.as_ref()?;
    let client = |file: &str| tls.client_secret_ref.as_ref().map(|_| format!("{REDIS_CLIENT}/{file}").into());
    Some(RedisTls {
        clientcas: vec![format!("{REDIS_CA}/ca.crt").into()],
        certificate: client("tls.crt"),
        key: client("tls.key"),
    })
}

fn formatter(spec: &PrivateRegistrySpec) -> Formatter {
    match spec.logging.clone().unwrap_or_default().format {
        LogFormat::JSON => Formatter::Json,
        LogFormat::Text => Formatter::Text,
    }
}

fn log(spec: &PrivateRegistrySpec) -> Log {
    let audit = match spec.logging.clone().unwrap_or_default().audit {
        AuditLines::Disabled => None,
        AuditLines::Enabled => Some(AuditLog::default()),
        AuditLines::EnabledWithReads => Some(AuditLog { reads: true, ..AuditLog::default() }),
    };
    Log { formatter: formatter(spec), audit, ..Log::default() }
}

fn level(level: LogLevel) -> Level {
    match level {
        LogLevel::Error => Level::Error,
        LogLevel::Warn => Level::Warn,
        LogLevel::Info => Level::Info,
        LogLevel::Debug => Level::Debug,
    }
}

fn yaml(config: &Config) -> Result<String, ResolveError> {
    serde_saphyr::to_string(config).map_err(|error| ResolveError::WriteConfiguration(error.to_string()))
}
