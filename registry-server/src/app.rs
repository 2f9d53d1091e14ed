//! The composition root: from a configuration to a running server.

use std::{
    net::ToSocketAddrs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use arc_swap::ArcSwap;
use registry_config::schema::{CacheKind, Config, Htpasswd};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    auth::accounts::Accounts,
    cache::{self, key_value::KeyValue},
    http::{admin::Admin, door::Door, listener, tls},
    metrics,
    registry::{
        cached_metadata::CachedMetadata,
        identity,
        metadata::{FromStore, Metadata},
        service::Registry,
    },
    settings::Settings,
    storage::{backend::Backend, fs::Filesystem, memory::Memory},
    telemetry,
    watched_file::{self, Contents},
};

const ACCOUNTS_PERIOD: Duration = Duration::from_secs(5);
const LIVE_PERIOD: Duration = Duration::from_secs(10);

/// A server that has bound its ports.
pub struct Server {
    public: TcpListener,
    admin: Option<TcpListener>,
    tls: Option<tls::Current>,
    door: Arc<Door>,
    drain: Duration,
}

/// Reads environment overrides into a live file as well as into the main one.
pub type Environment = Vec<(String, String)>;

/// Whether everybody may write from other machines; must be asked for by name.
pub fn open_to_strangers(config: &Config) -> bool {
    let loopback = |address: &str| {
        let address = address.strip_prefix(':').map_or(address.to_owned(), |port| format!("0.0.0.0:{port}"));
        address.to_socket_addrs().is_ok_and(|mut all| all.all(|one| one.ip().is_loopback()))
    };
    config.auth.is_none() && !loopback(&config.http.addr)
}

impl Server {
    /// Opens the store, reads the accounts, binds the ports.
    pub async fn start(config: &Config, environment: &Environment) -> anyhow::Result<Self> {
        metrics::install();
        if config.auth.is_none() {
            tracing::warn!("the registry is open: no accounts are configured, everybody may push and delete");
        }
        let store = store(config)?;
        let registry = Registry::new(Arc::clone(&store), metadata(config, store).await?);
        let accounts = config.auth.as_ref().map(|auth| accounts(&auth.htpasswd)).transpose()?;
        let settings = settings(config, environment)?;
        let tls = match &config.http.tls {
            Some(files) => Some(tls::start(files.certificate.clone(), files.key.clone())?),
            None => None,
        };
        let public = bind("http.addr", &config.http.addr).await?;
        let admin = match &config.http.debug {
            Some(debug) => Some(bind("http.debug.addr", &debug.addr).await?),
            None => None,
        };
        let door = Arc::new(Door { registry, accounts, settings });
        Ok(Self { public, admin, tls, door, drain: config.http.draintimeout.0 })
    }

    /// Where the public listener is.
    pub fn address(&self) -> std::io::Result<std::net::SocketAddr> {
        self.public.local_addr()
    }

    /// Where the admin listener is.
    pub fn admin_address(&self) -> Option<std::net::SocketAddr> {
        self.admin.as_ref().and_then(|admin| admin.local_addr().ok())
    }

    /// Serves until `stop` turns true and running requests have ended.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let ending = Arc::new(AtomicBool::new(false));
        let (end_admin, admin_stop) = watch::channel(false);
        let admin = self.admin.map(|listener| {
            let registry = self.door.registry.clone();
            let admin =
                Arc::new(Admin { registry, ending: Arc::clone(&ending), metrics: metrics::install() });
            serve_admin(listener, admin, admin_stop)
        });
        let flag = Arc::clone(&ending);
        let mut told = stop.clone();
        tokio::spawn(async move {
            let _ = told.wait_for(|stop| *stop).await;
            flag.store(true, Ordering::Relaxed);
        });
        let door = self.door;
        let service = move |request, peer| Arc::clone(&door).handle(request, peer);
        stop.mark_unchanged();
        listener::serve(self.public, self.tls, service, stop, self.drain).await;
        let _ = end_admin.send(true);
        if let Some(admin) = admin {
            let _ = admin.await;
        }
    }
}

fn serve_admin(listener: TcpListener, admin: Arc<Admin>, stop: watch::Receiver<bool>) -> JoinHandle<()> {
    let service = move |request, _| Arc::clone(&admin).handle(request);
    tokio::spawn(listener::serve(listener, None, service, stop, Duration::from_secs(1)))
}

async fn bind(key: &str, address: &str) -> anyhow::Result<TcpListener> {
    listener::bind(address).await.with_context(|| format!("cannot listen on {address} ({key})"))
}

fn store(config: &Config) -> anyhow::Result<Arc<dyn Backend>> {
    match (&config.storage.filesystem, &config.storage.inmemory) {
        (Some(_), Some(_)) => bail!("storage: exactly one backend"),
        (None, Some(_)) => Ok(Arc::new(Memory::default())),
        (filesystem, None) => {
            let root = filesystem.as_ref().map_or(PathBuf::from("data"), |f| f.rootdirectory.clone());
            let opened = Filesystem::open(&root);
            Ok(Arc::new(opened.with_context(|| format!("cannot open the store in {}", root.display()))?))
        }
    }
}

/// Facts from the store, behind a cache if one is configured.
async fn metadata(config: &Config, store: Arc<dyn Backend>) -> anyhow::Result<Arc<dyn Metadata>> {
    let direct: Arc<dyn Metadata> = Arc::new(FromStore(Arc::clone(&store)));
    let Some(cache) = &config.storage.cache else { return Ok(direct) };
    let values: Arc<dyn KeyValue> = match cache.blobdescriptor {
        CacheKind::InMemory => Arc::new(cache::memory::Memory::default()),
        CacheKind::Redis => Arc::new(cache::redis::Redis::new(redis(config)?)),
    };
    let identity = identity::of(&*store).await.context("cannot read the identity of the store")?;
    Ok(Arc::new(CachedMetadata::new(direct, values, &identity)))
}

fn redis(config: &Config) -> anyhow::Result<cache::redis::Address> {
    let redis = config.redis.as_ref().context("redis: the section is missing")?;
    let address = redis.addrs.first().and_then(|address| address.rsplit_once(':'));
    let (host, port) = address.context("redis.addrs: not host:port")?;
    Ok(cache::redis::Address {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: port.parse().context("redis.addrs: not host:port")?,
        username: redis.username.clone(),
        password_file: redis.passwordfile.clone(),
        database: redis.db,
    })
}

fn accounts(config: &Htpasswd) -> anyhow::Result<Arc<Accounts>> {
    let paths = vec![config.path.clone()];
    let contents = watched_file::read(&paths).context("auth.htpasswd.path")?;
    let text =
        |contents: &Contents| String::from_utf8_lossy(contents.first().map_or(&[][..], |c| c)).into_owned();
    let accounts =
        Accounts::new(config.path.clone(), &text(&contents), config.realm.clone(), config.pullonly.clone())?;
    let accounts = Arc::new(accounts);
    let target = Arc::clone(&accounts);
    tokio::spawn(watched_file::follow(paths, ACCOUNTS_PERIOD, contents, move |now| {
        let taken =
            now.map_err(str::to_owned).and_then(|c| target.reload(&text(c)).map_err(|e| e.to_string()));
        match taken {
            Ok(()) => tracing::info!("accounts read again"),
            Err(reason) => {
                metrics::reload_failed("htpasswd");
                tracing::error!(reason, "accounts not taken over, the last good ones stay");
            }
        }
    }));
    Ok(accounts)
}

/// The live settings, followed in their file if there is one.
fn settings(config: &Config, environment: &Environment) -> anyhow::Result<Arc<ArcSwap<Settings>>> {
    let Some(live) = &config.live else {
        return Ok(Arc::new(ArcSwap::from_pointee(Settings::from_config(config))));
    };
    let (main, environment, name) = (config.clone(), environment.clone(), live.path.display().to_string());
    let read = move |contents: &Contents| {
        let text = String::from_utf8_lossy(contents.first().map_or(&[][..], |c| c)).into_owned();
        let live = Config::from_yaml(&name, &text, environment.iter().cloned());
        live.map(|live| main.clone().with_live(&live)).map_err(|errors| errors.to_string())
    };
    let paths = vec![live.path.clone()];
    let contents = watched_file::read(&paths).context("live.path")?;
    let first = read(&contents).map_err(anyhow::Error::msg)?;
    telemetry::set_level(first.log.level);
    let settings = Arc::new(ArcSwap::from_pointee(Settings::from_config(&first)));
    let target = Arc::clone(&settings);
    tokio::spawn(watched_file::follow(paths, LIVE_PERIOD, contents, move |now| {
        match now.map_err(str::to_owned).and_then(&read) {
            Ok(config) => {
                telemetry::set_level(config.log.level);
                target.store(Arc::new(Settings::from_config(&config)));
                tracing::info!("live settings read again");
            }
            Err(reason) => {
                metrics::reload_failed("live");
                tracing::error!(reason, "live settings not taken over, the last good ones stay");
            }
        }
    }));
    Ok(settings)
}
