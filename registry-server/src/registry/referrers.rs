//! Manifests that say something about another one.

use std::{collections::BTreeMap, pin::pin};

use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::{
    oci::{
        digest::Digest,
        manifest::{Descriptor, Manifest, OCI_INDEX},
        reference::Reference,
        repository_name::RepositoryName,
    },
    registry::{
        error::RegistryError,
        layout,
        service::{AT_ONCE, Registry},
    },
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
        let (last, mut page) = (last.unwrap_or_default(), Filling::default());
        let folder = layout::referrers(name, subject);
        let recorded = self.linked_after(&folder, last).map(|digest| async move {
            let digest = digest?;
            self.recorded(name, &digest).await
        });
        let mut recorded = pin!(recorded.buffered(AT_ONCE).try_filter_map(|found| async { Ok(found) }));
        let mut old = self.tagged_by_old_clients(name, subject).await?;
        old.retain(|digest, _| digest.as_str() > last);
        let wanted = |d: &Descriptor| artifact_type.is_none_or(|t| d.artifact_type.as_deref() == Some(t));
        while let Some(descriptor) = recorded.try_next().await? {
            let later = old.split_off(&descriptor.digest);
            let earlier = std::mem::replace(&mut old, later);
            old.remove(&descriptor.digest);
            if !earlier.into_values().chain([descriptor]).filter(wanted).all(|d| page.takes(d)) {
                return Ok(page.full());
            }
        }
        let whole = old.into_values().filter(wanted).all(|d| page.takes(d));
        Ok(if whole { page.last() } else { page.full() })
    }

    async fn recorded(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Descriptor>, RegistryError> {
        if !self.has_link(&layout::revision(name, digest)).await? {
            return Ok(None);
        }
        let Some(bytes) = self.metadata.manifest(digest).await? else { return Ok(None) };
        let manifest = Manifest::parse(&bytes, None).ok();
        Ok(manifest.map(|manifest| describe(digest, bytes.len() as u64, manifest)))
    }

    /// Clients of before the referrers API keep an index under the tag `<algorithm>-<hex>`, cut at 64 digits (distribution-spec,
    /// "Referrers Tag Schema").
    async fn tagged_by_old_clients(
        &self,
        name: &RepositoryName,
        subject: &Digest,
    ) -> Result<BTreeMap<String, Descriptor>, RegistryError> {
        let tag = format!("{}-{:.64}", subject.algorithm().as_str(), subject.hex());
        let Ok(tag) = tag.parse() else { return Ok(BTreeMap::new()) };
        let children = match self.manifest(name, &Reference::Tag(tag)).await {
            Ok(stored) => Manifest::parse(&stored.bytes, None)?.children,
            Err(RegistryError::ManifestUnknown | RegistryError::NameUnknown) => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(children.into_iter().map(|child| (child.digest.clone(), child)).collect())
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
        platform: None,
    }
}

/// A page that is being filled.
#[derive(Default)]
struct Filling {
    descriptors: Vec<Descriptor>,
    bytes: usize,
}

impl Filling {
    /// Whether there was room for it. The first always fits.
    fn takes(&mut self, descriptor: Descriptor) -> bool {
        self.bytes += serde_json::to_vec(&descriptor).map_or(0, |json| json.len());
        let fits = self.bytes <= PAGE_BYTES || self.descriptors.is_empty();
        if fits {
            self.descriptors.push(descriptor);
        }
        fits
    }

    /// The page, and others follow.
    fn full(self) -> Referrers {
        let next = self.descriptors.last().map(|last| last.digest.clone());
        Referrers { next, ..self.last() }
    }

    /// The page, and none follows.
    fn last(self) -> Referrers {
        Referrers { descriptors: self.descriptors, next: None }
    }
}
