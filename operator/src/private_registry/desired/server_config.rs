//! The server's two files: boot (its change replaces pods) and live (running pods take it over).

use registry_config::{
    duration::GoDuration,
    schema::{
        Auth, Config, Debug, Filesystem, Formatter, Htpasswd, Http, Level, LiveFile, Log, Storage, Tls,
    },
};

use crate::{
    crd::{
        logging::{AccessLines, LogFormat, LogLevel},
        registry::{ImageDeletion, PrivateRegistrySpec},
    },
    private_registry::error::ResolveError,
};

/// Folder of the boot file in the pod.
pub const BOOT: &str = "/etc/registry/boot";
/// Folder of the live file in the pod.
pub const LIVE: &str = "/etc/registry/live";
/// Folder of certificate and key in the pod.
pub const TLS: &str = "/etc/registry/tls";
/// Folder of the password file in the pod.
pub const AUTH: &str = "/etc/registry/auth";
/// Folder of the images in the pod.
pub const DATA: &str = "/var/lib/registry";
/// How long requests may take to finish when a pod ends, in seconds.
pub const DRAIN_SECONDS: u64 = 300;
/// The account that may only pull.
pub const PULL_USER: &str = "preg-pull";

/// The boot file.
pub fn boot(spec: &PrivateRegistrySpec) -> Result<String, ResolveError> {
    yaml(&Config {
        log: Log { formatter: formatter(spec), ..Log::default() },
        storage: Storage {
            filesystem: Some(Filesystem { rootdirectory: DATA.into() }),
            ..Storage::default()
        },
        http: Http {
            addr: ":5000".into(),
            tls: Some(Tls {
                certificate: format!("{TLS}/tls.crt").into(),
                key: format!("{TLS}/tls.key").into(),
            }),
            debug: Some(Debug { addr: ":5001".into() }),
            draintimeout: GoDuration::from_secs(DRAIN_SECONDS),
        },
        auth: Some(Auth {
            htpasswd: Htpasswd {
                realm: "Registry".into(),
                path: format!("{AUTH}/htpasswd").into(),
                pullonly: vec![PULL_USER.into()],
            },
        }),
        live: Some(LiveFile { path: format!("{LIVE}/live.yml").into() }),
        ..Config::default()
    })
}

/// The live file.
pub fn live(spec: &PrivateRegistrySpec) -> Result<String, ResolveError> {
    let mut config = Config::default();
    let logging = spec.logging.clone().unwrap_or_default();
    config.log.level = level(logging.level);
    config.log.accesslog.disabled = logging.access == AccessLines::Disabled;
    config.storage.delete.enabled = spec.image_deletion == ImageDeletion::Enabled;
    config.storage.maintenance.readonly.enabled = spec.read_only;
    yaml(&config)
}

fn formatter(spec: &PrivateRegistrySpec) -> Formatter {
    match spec.logging.clone().unwrap_or_default().format {
        LogFormat::JSON => Formatter::Json,
        LogFormat::Text => Formatter::Text,
    }
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
