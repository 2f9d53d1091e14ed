//! Manifests that say something about another one.

use serde_json::{Value, json};

use crate::{
    oci::{
        digest::Digest,
        manifest::{Descriptor, Manifest, OCI_INDEX},
        reference::Reference,
        repository_name::RepositoryName,
    },
    registry::{error::RegistryError, layout, service::Registry},
};

/// A page is closed before its descriptors exceed this.
const PAGE_BYTES: usize = 3 << 20;

/// A page of referrers.
#[derive(Clone, Debug)]
pub struct Referrers {
    /// Their descriptors.
    pub descriptors: Vec<Descriptor>,
    /// The last digest of this page, when more follow.
    pub next: Option<String>,
}

impl Referrers {
    /// The image index that the specification asks for.
    pub fn index(&self) -> Value {
        json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self.descriptors })
    }
}

impl Registry {
    /// What refers to `subject`, after the digest `last`, of one artifact type or of all.
    pub async fn referrers(
        &self,
        name: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        last: Option<&str>,
    ) -> Result<Referrers, RegistryError> {
        let mut all = self.recorded(name, subject).await?;
        for old in self.tagged_by_old_clients(name, subject).await? {
            if all.iter().all(|known| known.digest != old.digest) {
                all.push(old);
            }
        }
        all.retain(|d| artifact_type.is_none_or(|wanted| d.artifact_type.as_deref() == Some(wanted)));
        all.retain(|d| last.is_none_or(|last| d.digest.as_str() > last));
        all.sort_by(|a, b| a.digest.cmp(&b.digest));
        Ok(first_page(all))
    }

    async fn recorded(
        &self,
        name: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let mut found = Vec::new();
        for digest in self.linked(&layout::referrers(name, subject)).await? {
            if !self.has_link(&layout::revision(name, &digest)).await? {
                continue;
            }
            let Some(bytes) = self.metadata.manifest(&digest).await? else { continue };
            let Ok(manifest) = Manifest::parse(&bytes, None) else { continue };
            found.push(describe(&digest, bytes.len() as u64, manifest));
        }
        Ok(found)
    }

    /// Clients of before the referrers API keep an index under the tag `<algorithm>-<hex>`.
    async fn tagged_by_old_clients(
        &self,
        name: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let tag = format!("{}-{}", subject.algorithm().as_str(), subject.hex());
        let Ok(tag) = tag.parse() else { return Ok(Vec::new()) };
        match self.manifest(name, &Reference::Tag(tag)).await {
            Ok(stored) => Ok(Manifest::parse(&stored.bytes, None)?.children),
            Err(RegistryError::ManifestUnknown | RegistryError::NameUnknown) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn describe(digest: &Digest, size: u64, manifest: Manifest) -> Descriptor {
    Descriptor {
        media_type: manifest.media_type.to_owned(),
        digest: digest.to_string(),
        size,
        urls: Vec::new(),
        data: None,
        artifact_type: manifest.artifact_type,
        annotations: manifest.annotations,
    }
}

fn first_page(mut all: Vec<Descriptor>) -> Referrers {
    let mut bytes = 0;
    let too_much = |descriptor: &Descriptor| {
        bytes += serde_json::to_vec(descriptor).map_or(0, |json| json.len());
        bytes > PAGE_BYTES
    };
    let count = all.iter().position(too_much).unwrap_or(all.len()).max(1);
    let more = count < all.len();
    all.truncate(count);
    let next = all.last().filter(|_| more).map(|d| d.digest.clone());
    Referrers { descriptors: all, next }
}
