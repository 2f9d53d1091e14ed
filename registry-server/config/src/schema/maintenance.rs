//! Section `storage.maintenance`.

use serde::{Deserialize, Serialize};

use crate::{duration::GoDuration, schema::is_default};

/// `storage.maintenance`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Maintenance {
    /// Refuse every write.
    pub readonly: ReadOnly,
    /// Remove uploads that nobody continues.
    #[serde(skip_serializing_if = "is_default")]
    pub uploadpurging: UploadPurging,
}

/// `storage.maintenance.readonly`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadOnly {
    /// Pushes and deletes are answered with 405.
    pub enabled: bool,
}

/// `storage.maintenance.uploadpurging`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UploadPurging {
    /// Whether it is done at all.
    pub enabled: bool,
    /// How long an upload may stay without a new byte.
    pub age: GoDuration,
    /// How often the store is looked through.
    pub interval: GoDuration,
    /// Only log what would be removed.
    pub dryrun: bool,
}

impl Default for UploadPurging {
    fn default() -> Self {
        let hours = |hours: u64| GoDuration::from_secs(hours * 3600);
        Self { enabled: true, age: hours(168), interval: hours(24), dryrun: false }
    }
}
