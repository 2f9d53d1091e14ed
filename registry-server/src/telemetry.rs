//! Logs to standard error.

use std::sync::OnceLock;

use registry_config::schema::{Formatter, Level, Log};
use tracing_subscriber::{EnvFilter, Registry, layer::SubscriberExt, reload, util::SubscriberInitExt};

static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

fn filter(level: Level) -> EnvFilter {
    EnvFilter::new(match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "info,registry_server=debug",
    })
}

/// Sets the process's logs up, once.
pub fn install(log: &Log) {
    let (layer, handle) = reload::Layer::new(filter(log.level));
    let base = tracing_subscriber::registry().with(layer);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let installed = match log.formatter {
        Formatter::Text => base.with(lines.with_ansi(false)).try_init(),
        Formatter::Json => base.with(lines.json().flatten_event(true)).try_init(),
    };
    if installed.is_ok() {
        let _ = FILTER.set(handle);
    }
}

/// Takes over another level.
pub fn set_level(level: Level) {
    if let Some(handle) = FILTER.get() {
        let _ = handle.reload(filter(level));
    }
}
