//! Manifests: what the registry reads of them. The stored bytes stay what was pushed.

use std::fmt;

use base64::Engine as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::oci::{
    digest::Digest,
    error::{ManifestError, ParseError, cut},
    hasher::Hasher,
};

/// An OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// A Docker schema 2 manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// A Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Every media type that can be pushed.
pub const ACCEPTED: [&str; 4] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST];

/// A pointer to content.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Type of the content.
    #[serde(default)]
    pub media_type: String,
    /// Name of the content.
    pub digest: String,
    /// Length of the content.
    pub size: u64,
    /// Other places that have the content.
    #[serde(default, deserialize_with = "none_if_null", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The content itself, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// What kind of artifact the content is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Free-form notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Map<String, Value>>,
    /// What the content runs on, with `architecture` and `os`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Map<String, Value>>,
}

/// Clients in Go write `null` for an empty list.
fn none_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: Option<u64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    annotations: Option<Map<String, Value>>,
    fs_layers: Option<Value>,
}

/// What the registry needs to know about a manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// One of [`ACCEPTED`].
    pub media_type: &'static str,
    /// As the referrers list shows it.
    pub artifact_type: Option<String>,
    /// Config and layers, or an index's children.
    pub references: Vec<Digest>,
    /// Those of the references that must be there before the manifest is taken.
    pub required: Vec<Digest>,
    /// What this manifest says something about.
    pub subject: Option<Digest>,
    /// Free-form notes.
    pub annotations: Option<Map<String, Value>>,
    /// An index's children as written; empty for images.
    pub children: Vec<Descriptor>,
}

impl Manifest {
    /// Reads a manifest, with the `Content-Type` that it came with.
    pub fn parse(bytes: &[u8], header: Option<&str>) -> Result<Self, ManifestError> {
        let document: Document = serde_json::from_slice(bytes).map_err(|_| unreadable(bytes))?;
        let media_type = media_type(&document, header)?;
        if document.schema_version != Some(2) {
            return Err(ManifestError::field("schemaVersion", "schemaVersion must be 2"));
        }
        let index = matches!(media_type, OCI_INDEX | DOCKER_LIST);
        let other = if index {
            document.layers.as_ref().map(|_| "layers")
        } else {
            document.manifests.as_ref().map(|_| "manifests")
        };
        if let Some(other) = other {
            return Err(ManifestError::field(other, "both an image and an index"));
        }
        if !index && document.config.is_none() {
            return Err(ManifestError::field("config", "an image manifest needs a config"));
        }
        let children = if index { document.manifests.unwrap_or_default() } else { Vec::new() };
        let layers = document.layers.unwrap_or_default();
        let config = document.config.iter().map(|one| (Place::One("config"), one));
        let content: Vec<_> = config.chain(numbered("layers", &layers)).collect();
        let references = digests(content.iter().copied().chain(numbered("manifests", &children)))?;
        let required = digests(content.into_iter().filter(|(_, one)| !kept_elsewhere(one)))?;
        let config_type = document.config.map(|c| c.media_type).filter(|t| !index && !t.is_empty());
        Ok(Self {
            media_type,
            artifact_type: document.artifact_type.filter(|t| !t.is_empty()).or(config_type),
            references,
            required,
            subject: digests(document.subject.iter().map(|one| (Place::One("subject"), one)))?.pop(),
            annotations: document.annotations,
            children,
        })
    }
}

/// The header's type if there is one; it must not contradict the body's.
fn media_type(document: &Document, header: Option<&str>) -> Result<&'static str, ManifestError> {
    let header = header.map(|h| h.split(';').next().unwrap_or_default().trim()).filter(|h| !h.is_empty());
    let body = document.media_type.as_deref().filter(|t| !t.is_empty());
    let schema_one = |t: &str| t.starts_with("application/vnd.docker.distribution.manifest.v1+");
    if document.schema_version == Some(1)
        || document.fs_layers.is_some()
        || header.is_some_and(schema_one)
        || body.is_some_and(schema_one)
    {
        return Err(ManifestError::SchemaOne);
    }
    if let (Some(header), Some(body)) = (header, body)
        && header != body
    {
        return Err(ManifestError::Mismatch { header: cut(header), body: cut(body) });
    }
    let sniffed = if document.manifests.is_some() { OCI_INDEX } else { OCI_MANIFEST };
    let claimed = header.or(body).unwrap_or(sniffed);
    let known = ACCEPTED.into_iter().find(|t| *t == claimed);
    let known = known.ok_or_else(|| ManifestError::MediaType(cut(claimed)))?;
    if body.is_none() && known != sniffed {
        return Err(ManifestError::Mismatch { header: cut(claimed), body: sniffed.to_owned() });
    }
    Ok(known)
}

fn kept_elsewhere(descriptor: &Descriptor) -> bool {
    let kind = &descriptor.media_type;
    !descriptor.urls.is_empty() || kind.contains(".nondistributable.") || kind.contains(".foreign.")
}

/// Where it is unreadable, which is looked for when it is known to be.
fn unreadable(bytes: &[u8]) -> ManifestError {
    match serde_path_to_error::deserialize::<_, Document>(&mut serde_json::Deserializer::from_slice(bytes)) {
        Err(error) => {
            let field = Some(error.path().to_string()).filter(|path| path != ".").map(|path| cut(&path));
            ManifestError::Malformed { field, reason: told(&error.into_inner()) }
        }
        // What is wrong stands behind it.
        Ok(_) => {
            ManifestError::Malformed { field: None, reason: "something follows the manifest".to_owned() }
        }
    }
}

/// What is wrong, and where: the line and the column stand at the end.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) => cut(what) + &place,
        None => cut(&text),
    }
}

/// Where a descriptor stands; a text only for those who are told.
#[derive(Clone, Copy)]
enum Place {
    One(&'static str),
    Of(&'static str, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(field) => f.write_str(field),
            Self::Of(field, place) => write!(f, "{field}[{place}]"),
        }
    }
}

fn numbered<'a>(field: &'static str, all: &'a [Descriptor]) -> impl Iterator<Item = (Place, &'a Descriptor)> {
    all.iter().enumerate().map(move |(place, one)| (Place::Of(field, place), one))
}

fn digests<'a>(
    descriptors: impl Iterator<Item = (Place, &'a Descriptor)>,
) -> Result<Vec<Digest>, ManifestError> {
    let digest = |(place, descriptor): (Place, &Descriptor)| {
        let wrong = |error: ParseError| ManifestError::field(&format!("{place}.digest"), error.to_string());
        let digest: Digest = descriptor.digest.parse().map_err(wrong)?;
        match &descriptor.data {
            Some(data) if !embedded_matches(data, &digest, descriptor.size) => {
                Err(ManifestError::EmbeddedData {
                    field: format!("{place}.data"),
                    digest: digest.to_string(),
                })
            }
            _ => Ok(digest),
        }
    };
    descriptors.map(digest).collect()
}

fn embedded_matches(data: &str, digest: &Digest, size: u64) -> bool {
    base64::engine::general_purpose::STANDARD.decode(data).is_ok_and(|bytes| {
        bytes.len() as u64 == size && Hasher::digest(digest.algorithm(), &bytes) == *digest
    })
}
