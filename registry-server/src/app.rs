//! The composition root: from a configuration to a running server.

mod audit;
mod bucket;
mod followed;
pub mod open_files;
mod purging;
mod redis;
mod secret;
mod store;
pub mod tokens;

use std::{
    net::ToSocketAddrs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use arc_swap::ArcSwap;
use registry_config::schema::{ClientAuth, ClientIdentity, Config, MinimumTls, Tls};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    auth::{
        certificate_names::NameKind,
        logins::{Logins, Way},
        token_maker::TokenMaker,
    },
    http::{
        accepting::Accepting, admin::Admin, door::Door, listener, patience::Patience, redirect, tls,
        tls_config::Files,
    },
    metrics,
    settings::Settings,
};

/// How long requests may take to end that are no client's of the registry.
const SOON: Duration = Duration::from_secs(1);

/// A server that has bound its ports.
pub struct Server {
    public: TcpListener,
    admin: Option<TcpListener>,
    redirect: Option<(TcpListener, u16)>,
    tls: Option<tls::Current>,
    door: Arc<Door>,
    connections: u32,
    patience: Patience,
}

/// Reads environment overrides into a live file as well as into the main one.
pub type Environment = Vec<(String, String)>;

/// Whether everybody may write from other machines; must be asked for by name.
pub fn open_to_strangers(config: &Config) -> bool {
    let loopback = |address: &str| {
        let address = address.strip_prefix(':').map_or(address.to_owned(), |port| format!("0.0.0.0:{port}"));
        address.to_socket_addrs().is_ok_and(|mut all| all.all(|one| one.ip().is_loopback()))
    };
    config.is_open() && !loopback(&config.http.addr)
}

impl Server {
    /// Opens the store, reads the accounts, binds the ports.
    pub async fn start(config: &Config, environment: &Environment) -> anyhow::Result<Self> {
        metrics::install();
        // Clients of other servers need one. A second call changes nothing.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        if config.is_open() {
            tracing::warn!("the registry is open: no accounts are configured, everybody may push and delete");
        }
        let (config, settings) = followed::settings(config, environment)?;
        let needs_accounts = [
            ("access: rules", !config.access.is_empty()),
            ("oidc: tokens", !config.oidc.is_empty()),
            ("serviceaccounts: tokens", config.serviceaccounts.is_some()),
            ("http.tls.clientidentity: names", name_kind(&config).is_some()),
        ];
        if let Some((what, _)) = needs_accounts.iter().find(|(_, there)| *there && config.is_open()) {
            bail!("{what} need accounts: set auth.htpasswd");
        }
        let registry = store::registry(&config).await?;
        let logins = logins(&config, &settings)?;
        let tls = config.http.tls.as_ref().map(|section| tls::start(files(section))).transpose()?;
        let audit = audit::open(&config.log)?;
        let admin = match &config.http.debug {
            Some(debug) => Some(bind("http.debug.addr", &debug.addr).await?),
            None => None,
        };
        let redirect = match &config.http.redirect {
            Some(redirect) => Some((bind("http.redirect.addr", &redirect.addr).await?, redirect.port)),
            None => None,
        };
        // The last one: whoever could connect to it is served.
        let public = bind("http.addr", &config.http.addr).await?;
        let door = Arc::new(Door { registry, logins, settings, audit });
        let patience = Patience::draining(config.http.draintimeout.0);
        let connections = config.http.maxconnections.get();
        Ok(Self { public, admin, redirect, tls, door, connections, patience })
    }

    /// With other times than those that always hold, for whoever cannot wait so long.
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Where the public listener is.
    pub fn address(&self) -> std::io::Result<std::net::SocketAddr> {
        self.public.local_addr()
    }

    /// Where the admin listener is.
    pub fn admin_address(&self) -> Option<std::net::SocketAddr> {
        self.admin.as_ref().and_then(|admin| admin.local_addr().ok())
    }

    /// Where the listener is that leads to https.
    pub fn redirect_address(&self) -> Option<std::net::SocketAddr> {
        self.redirect.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// Serves until `stop` turns true and running requests have ended.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let ending = Arc::new(AtomicBool::new(false));
        let (end_admin, admin_stop) = watch::channel(false);
        let admin = self.admin.map(|listener| {
            let registry = self.door.registry.clone();
            let admin =
                Arc::new(Admin { registry, ending: Arc::clone(&ending), metrics: metrics::install() });
            serve_admin(Accepting::new(listener, self.connections), admin, admin_stop)
        });
        if let Some((listener, port)) = self.redirect {
            let service = move |request, _| redirect::handle(request, port);
            let (listener, patience) = (Accepting::new(listener, self.connections), Patience::draining(SOON));
            tokio::spawn(listener::serve(listener, None, service, stop.clone(), patience));
        }
        let purging = tokio::spawn(purging::run(self.door.registry.clone(), Arc::clone(&self.door.settings)));
        let upkeep = tokio::spawn(metrics::upkeep());
        let watching = tokio::spawn(store::watch(self.door.registry.clone()));
        let flag = Arc::clone(&ending);
        let mut told = stop.clone();
        tokio::spawn(async move {
            let _ = told.wait_for(|stop| *stop).await;
            flag.store(true, Ordering::Relaxed);
        });
        let door = self.door;
        let service = move |request, peer| Arc::clone(&door).handle(request, peer);
        stop.mark_unchanged();
        let public = Accepting::new(self.public, self.connections);
        listener::serve(public, self.tls, service, stop, self.patience).await;
        purging.abort();
        upkeep.abort();
        watching.abort();
        let _ = end_admin.send(true);
        if let Some(admin) = admin {
            let _ = admin.await;
        }
    }
}

/// How one logs in; nothing: the registry is open.
fn logins(config: &Config, settings: &Arc<ArcSwap<Settings>>) -> anyhow::Result<Option<Arc<Logins>>> {
    let way = match (&config.auth, &config.token, &config.builtin) {
        (Some(auth), _, None) => Way::Password(followed::accounts(&auth.htpasswd)?),
        (Some(auth), _, Some(section)) => Way::BuiltIn(TokenMaker {
            accounts: followed::accounts(&auth.htpasswd)?,
            lifetime: section.lifetime.0,
            realm: section.realm.clone(),
            secure: config.http.tls.is_some(),
            secure_host: config.http.secure_authority().map(str::to_owned),
        }),
        (None, Some(token), _) => Way::Token { realm: token.realm.clone(), service: token.service.clone() },
        (None, None, _) => return Ok(None),
    };
    let tokens = tokens::follow(Arc::clone(settings));
    if matches!(way, Way::BuiltIn(_)) && tokens.load().signer().is_none() {
        bail!("auth.token.builtin.key: {}", tokens::problems(config).join("; "));
    }
    Ok(Some(Arc::new(Logins { way, tokens, certificates: name_kind(config) })))
}

/// Which name in a client's certificate says who it is.
fn name_kind(config: &Config) -> Option<NameKind> {
    match config.http.tls.as_ref()?.clientidentity {
        ClientIdentity::None => None,
        ClientIdentity::Uri => Some(NameKind::Uri),
        ClientIdentity::Dns => Some(NameKind::Dns),
        ClientIdentity::Email => Some(NameKind::Email),
    }
}

fn serve_admin(listener: Accepting, admin: Arc<Admin>, stop: watch::Receiver<bool>) -> JoinHandle<()> {
    let service = move |request, _| Arc::clone(&admin).handle(request);
    tokio::spawn(listener::serve(listener, None, service, stop, Patience::draining(SOON)))
}

async fn bind(key: &str, address: &str) -> anyhow::Result<TcpListener> {
    listener::bind(address).await.with_context(|| format!("cannot listen on {address} ({key})"))
}

fn files(section: &Tls) -> Files {
    Files {
        certificate: section.certificate.clone(),
        key: section.key.clone(),
        client_authorities: section.clientcas.clone(),
        clients_need_certificates: section.clientauth == ClientAuth::RequireAndVerifyClientCert,
        only_newest_protocol: section.minimumtls == MinimumTls::V13,
    }
}
