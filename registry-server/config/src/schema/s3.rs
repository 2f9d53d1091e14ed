//! Section `storage.s3`.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::schema::is_default;

/// `storage.s3`: a bucket of Amazon S3 or of a store that speaks its language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// The region that the bucket is in.
    pub region: String,
    /// URL of a store that is not Amazon's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regionendpoint: Option<String>,
    /// Whether the bucket stands in the URL's path and not in its host name. Absent: only with `regionendpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forcepathstyle: Option<bool>,
    /// The bucket, which must be there.
    pub bucket: String,
    /// What keys in the bucket begin with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rootdirectory: String,
    /// Access key. Without keys: those of the environment or of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accesskey: Option<Secret>,
    /// Secret key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secretkey: Option<Secret>,
    /// A file that holds the access key, read at the start (*ours*).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accesskeyfile: Option<PathBuf>,
    /// A file that holds the secret key, read at the start (*ours*).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secretkeyfile: Option<PathBuf>,
    /// HTTPS; `false` allows plain HTTP.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub secure: bool,
    /// PEM file of the authorities that sign the store's certificate (*ours*). Absent: those of the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cafile: Option<PathBuf>,
    /// Whether the store encrypts what it keeps.
    #[serde(default, skip_serializing_if = "is_default")]
    pub encrypt: bool,
    /// Key of the key management service to encrypt with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyid: Option<String>,
    /// Storage class of new objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storageclass: Option<String>,
    /// Canned access control list of new objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objectacl: Option<String>,
    /// Bytes of an upload that are held in memory before they are sent to the store. A blob has at most 10,000 of
    /// such pieces.
    #[serde(default = "chunk", skip_serializing_if = "is_chunk")]
    pub chunksize: u64,
    /// Signature version 4, which is the only one that is spoken.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub v4auth: bool,
    /// Must not be true: name the authority in `cafile`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub skipverify: bool,
}

impl Default for S3 {
    /// Without region and bucket, which have no usual value.
    fn default() -> Self {
        Self {
            region: String::new(),
            regionendpoint: None,
            forcepathstyle: None,
            bucket: String::new(),
            rootdirectory: String::new(),
            accesskey: None,
            secretkey: None,
            accesskeyfile: None,
            secretkeyfile: None,
            secure: yes(),
            cafile: None,
            encrypt: false,
            keyid: None,
            storageclass: None,
            objectacl: None,
            chunksize: chunk(),
            v4auth: yes(),
            skipverify: false,
        }
    }
}

const fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

const fn chunk() -> u64 {
    10 << 20
}

fn is_chunk(size: &u64) -> bool {
    *size == chunk()
}

/// A secret that stands in the file itself. Never shown, except where the file is written.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl<'de> Deserialize<'de> for Secret {
    /// The derived one would show what it found in its message.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer) {
            Ok(serde_json::Value::String(secret)) => Ok(Self(secret)),
            _ => Err(D::Error::custom("must be a text: put it in quotes")),
        }
    }
}

impl Secret {
    /// What is shown instead.
    pub fn redacted() -> Self {
        Self("(redacted)".to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}
