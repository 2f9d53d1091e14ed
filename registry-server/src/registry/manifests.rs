//! Manifests: read and write. The tag is written last: it is the publication.

use std::{collections::HashSet, hash::Hash};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    oci::{
        digest::{Algorithm, Digest},
        error::ManifestError,
        hasher::Hasher,
        manifest::Manifest,
        nesting::{DEEPEST, LONGEST_NUMBER, has_short_numbers, is_flat_enough},
        reference::Reference,
        repository_name::RepositoryName,
        tag::Tag,
    },
    registry::{
        aside::to_its_end,
        completeness::Completeness,
        condition::Terms,
        error::RegistryError,
        layout,
        service::{AT_ONCE, Registry},
    },
    storage::backend::ByteStream,
};

/// A stored manifest.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its name.
    pub digest: Digest,
    /// Its type, as pushed.
    pub media_type: &'static str,
    /// Exactly the pushed bytes.
    pub bytes: Bytes,
}

/// A manifest on its way in.
#[derive(Clone, Debug)]
pub struct Push {
    /// What the client called it.
    pub reference: Reference,
    /// More tags for a push by digest.
    pub tags: Vec<Tag>,
    /// `Content-Type` of the request.
    pub content_type: Option<String>,
    /// What must be in the repository before.
    pub completeness: Completeness,
    /// What stands against it.
    pub terms: Terms,
    /// The manifest.
    pub bytes: Bytes,
}

impl Push {
    /// Every tag that it sets.
    fn tags(&self) -> impl Iterator<Item = &Tag> {
        let first = match &self.reference {
            Reference::Tag(tag) => Some(tag),
            Reference::Digest(_) => None,
        };
        first.into_iter().chain(&self.tags)
    }

    /// What its condition is about: the tags that it sets, and without any the manifest itself.
    fn written(&self) -> Vec<Reference> {
        let tags: Vec<Reference> = self.tags().cloned().map(Reference::Tag).collect();
        if tags.is_empty() { vec![self.reference.clone()] } else { tags }
    }
}

/// What a push did.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// Name of the manifest.
    pub digest: Digest,
    /// What it refers to.
    pub subject: Option<Digest>,
}

impl Registry {
    /// The digest that a reference stands for in this repository.
    pub async fn resolve(
        &self,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Digest, RegistryError> {
        let digest = match reference {
            Reference::Digest(digest) => Some(digest.clone()),
            Reference::Tag(tag) => self.read_link(&layout::tag_current(name, tag)).await?,
        };
        if let Some(digest) = digest
            && self.has_link(&layout::revision(name, &digest)).await?
        {
            return Ok(digest);
        }
        Err(self.or_name_unknown(name, RegistryError::ManifestUnknown).await)
    }

    /// A manifest with its bytes.
    pub async fn manifest(
        &self,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Stored, RegistryError> {
        let digest = self.resolve(name, reference).await?;
        let bytes = self.metadata.manifest(&digest).await?.ok_or(RegistryError::ManifestUnknown)?;
        match Manifest::parse(&bytes, None) {
            Ok(manifest) => Ok(Stored { digest, media_type: manifest.media_type, bytes }),
            Err(error) => {
                // Of a store that another registry has filled: a type that is not served here.
                tracing::warn!(repository = name.as_str(), %digest, %error, "a stored manifest cannot be read");
                Err(RegistryError::ManifestUnknown)
            }
        }
    }

    /// The bytes of a manifest that [`Self::manifest`] gave, one part after the other.
    pub async fn manifest_bytes(&self, digest: &Digest, length: u64) -> Result<ByteStream, RegistryError> {
        let bytes = self.store.stream(&layout::blob(digest), 0..length).await?;
        bytes.ok_or(RegistryError::ManifestUnknown)
    }

    /// Stores a manifest: content, referrer, revision, tags, in this order. A referrer is listed when its revision is
    /// there: so a manifest that is there is listed, also when we die in between.
    pub async fn put_manifest(&self, name: &RepositoryName, push: Push) -> Result<Pushed, RegistryError> {
        let (registry, name) = (self.clone(), name.clone());
        to_its_end(async move { registry.put_now(&name, &push).await }).await
    }

    async fn put_now(&self, name: &RepositoryName, push: &Push) -> Result<Pushed, RegistryError> {
        let digest = named(push)?;
        readable(&push.bytes)?;
        let manifest = Manifest::parse(&push.bytes, push.content_type.as_deref())?;
        self.require_content(name, push, &manifest).await?;
        let _manifest = self.locks.manifest(name, &digest).await;
        let _tags = self.locks.tags(name, push.tags()).await;
        for tag in push.tags() {
            self.require_movable(name, tag, Some(&digest), &push.terms).await?;
        }
        for reference in push.written() {
            self.require(name, &reference, &push.terms).await?;
        }
        let place = self.take_room(name, &digest, push.bytes.len() as u64).await?;
        let put = self.put_revision(name, &digest, push, &manifest).await;
        self.leave(place, put.is_ok()).await;
        put?;
        for tag in push.tags() {
            self.write_link(&layout::tag_index(name, tag, &digest), &digest).await?;
            self.write_link(&layout::tag_current(name, tag), &digest).await?;
        }
        // Another replica may have deleted the manifest before it saw the tags.
        self.keep_link(&layout::revision(name, &digest), &digest).await?;
        if let Some(subject) = &manifest.subject {
            self.keep_link(&layout::referrer(name, subject, &digest), &digest).await?;
        }
        Ok(Pushed { digest, subject: manifest.subject })
    }

    /// Writes content and revision. A blob that is deleted meanwhile is either seen here to be gone, or its
    /// deletion sees the revision.
    async fn put_revision(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        push: &Push,
        manifest: &Manifest,
    ) -> Result<(), RegistryError> {
        let revision = layout::revision(name, digest);
        let known = self.has_link(&revision).await?;
        self.store.put(&layout::blob(digest), push.bytes.clone()).await?;
        let subject = manifest.subject.as_ref();
        let referrer = subject.map(|subject| layout::referrer(name, subject, digest));
        for folder in referrer.iter().chain([&revision]) {
            self.write_link(&layout::link(folder), digest).await?;
        }
        let complete = self.require_content(name, push, manifest).await;
        if complete.is_err() && !known {
            self.store.delete(&revision).await?;
            self.unlist(&revision, referrer.as_deref(), digest).await?;
        }
        complete
    }

    /// Everything at once that is missing and must be there.
    async fn require_content(
        &self,
        name: &RepositoryName,
        push: &Push,
        manifest: &Manifest,
    ) -> Result<(), RegistryError> {
        let layers = manifest.required.iter().filter(|_| push.completeness.layers);
        let children = manifest.children.iter().filter(|child| push.completeness.children.include(child));
        let children = children.filter_map(|child| child.digest.parse::<Digest>().ok());
        let all = layers.cloned().map(|digest| (digest, false)).chain(children.map(|digest| (digest, true)));
        let wanted: Vec<(Digest, bool)> = each_once(all).collect();
        let wanted = stream::iter(wanted).map(|(digest, child)| async move {
            // A child may be a layer, too: caches of builds are indexes of such.
            let there = (child && self.has_link(&layout::revision(name, &digest)).await?)
                || self.has_layer(name, &digest).await?;
            Ok::<_, RegistryError>((!there).then_some(digest))
        });
        let missing: Vec<Option<Digest>> = wanted.buffered(AT_ONCE).try_collect().await?;
        let missing: Vec<Digest> = each_once(missing.into_iter().flatten()).collect();
        if missing.is_empty() { Ok(()) } else { Err(RegistryError::ContentMissing(missing)) }
    }
}

impl Registry {
    /// Whether the blob is in the repository: its link may have come without it.
    pub(in crate::registry) async fn has_layer(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        let linked = self.has_link(&layout::layer(name, digest)).await?;
        Ok(linked && self.store.stat(&layout::blob(digest)).await?.is_some())
    }
}

/// What clients could not read is not taken, also where it is in fields that nobody reads here.
fn readable(bytes: &[u8]) -> Result<(), ManifestError> {
    let wrong = |reason| ManifestError::Malformed { field: None, reason };
    std::str::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
    if !is_flat_enough(bytes) {
        return Err(wrong(format!("nested deeper than {DEEPEST}")));
    }
    if !has_short_numbers(bytes) {
        return Err(wrong(format!("has a number of more than {LONGEST_NUMBER} characters")));
    }
    Ok(())
}

/// A manifest has room to name the same content fifty thousand times.
fn each_once<T: Clone + Eq + Hash>(all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let mut seen = HashSet::new();
    all.filter(move |one| seen.insert(one.clone()))
}

/// The digest of the bytes, which must be the one that the client named.
fn named(push: &Push) -> Result<Digest, RegistryError> {
    let algorithm = match &push.reference {
        Reference::Digest(wanted) => wanted.algorithm(),
        Reference::Tag(_) => Algorithm::Sha256,
    };
    let actual = Hasher::digest(algorithm, &push.bytes);
    match &push.reference {
        Reference::Digest(wanted) if *wanted != actual => {
            Err(RegistryError::DigestMismatch { wanted: wanted.clone(), actual })
        }
        _ => Ok(actual),
    }
}
