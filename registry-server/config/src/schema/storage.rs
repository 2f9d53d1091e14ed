//! Section `storage`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::schema::{BlobRedirect, Maintenance, S3, is_default};

/// Section `storage`. Exactly one of the backends; none of them means `filesystem` in `./data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// Files below one folder, laid out as distribution lays them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filesystem: Option<Filesystem>,
    /// In memory, gone with the process: for tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inmemory: Option<InMemory>,
    /// A bucket of an object store, laid out as distribution lays it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3>,
    /// The word that the store must carry (*ours*). A store without it, or with another, is not served:
    /// it is empty, not mounted, or somebody else's. Absent: any store is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Write `identity` into a store that does not carry it, instead of refusing to start (*ours*).
    #[serde(skip_serializing_if = "is_default")]
    pub initialize: bool,
    /// Whether clients may delete.
    #[serde(skip_serializing_if = "is_default")]
    pub delete: Delete,
    /// Clients fetch blobs from the object store itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<BlobRedirect>,
    /// A cache of small metadata in front of the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// Work that the store needs now and then.
    #[serde(skip_serializing_if = "is_default")]
    pub maintenance: Maintenance,
}

/// `storage.filesystem`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filesystem {
    /// The folder that holds `docker/registry/v2/`.
    pub rootdirectory: PathBuf,
}

/// `storage.inmemory`: no settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InMemory {}

/// `storage.delete`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delete {
    /// As in distribution, deletion is off unless this says `true`.
    pub enabled: bool,
}

/// `storage.cache`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Where cached metadata lives.
    pub blobdescriptor: CacheKind,
    /// Most bytes that a cache in this process takes (*ours*). Redis has its own limit, `maxmemory`.
    #[serde(default = "Cache::default_size", skip_serializing_if = "Cache::is_default_size")]
    pub maxsize: u64,
}

impl Cache {
    /// A cache of the usual size.
    pub const fn new(blobdescriptor: CacheKind) -> Self {
        Self { blobdescriptor, maxsize: Self::default_size() }
    }

    const fn default_size() -> u64 {
        64 << 20
    }

    fn is_default_size(size: &u64) -> bool {
        *size == Self::default_size()
    }
}

/// `storage.cache.blobdescriptor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheKind {
    /// In this process.
    InMemory,
    /// In the Redis server of section `redis`.
    Redis,
}
