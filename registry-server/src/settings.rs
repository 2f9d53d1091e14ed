//! What requests are judged by and what may change while the server runs.

/// The live part of the configuration, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether clients may delete.
    pub delete: bool,
    /// Whether every write is refused.
    pub readonly: bool,
    /// One log line per request.
    pub access_log: bool,
    /// Largest manifest in bytes.
    pub max_manifest: u64,
    /// Largest blob in bytes.
    pub max_blob: Option<u64>,
}

impl Settings {
    /// What the configuration says.
    pub fn from_config(config: &registry_config::schema::Config) -> Self {
        Self {
            delete: config.storage.delete.enabled,
            readonly: config.storage.maintenance.readonly.enabled,
            access_log: !config.log.accesslog.disabled,
            max_manifest: config.limits.maxmanifestsize,
            max_blob: config.limits.maxblobsize,
        }
    }
}
