//! Manifests: read, write, delete. The tag is written last: it is the publication.

use bytes::Bytes;

use crate::{
    oci::{
        digest::{Algorithm, Digest},
        hasher::Hasher,
        manifest::Manifest,
        reference::Reference,
        repository_name::RepositoryName,
        tag::Tag,
    },
    registry::{condition::Condition, error::RegistryError, layout, service::Registry},
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
    /// What must be so when the reference is written.
    pub condition: Condition,
    /// The manifest.
    pub bytes: Bytes,
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
        let media_type = Manifest::parse(&bytes, None)?.media_type;
        Ok(Stored { digest, media_type, bytes })
    }

    /// Stores a manifest: content, revision, referrer, tags, in this order.
    pub async fn put_manifest(&self, name: &RepositoryName, push: Push) -> Result<Pushed, RegistryError> {
        let digest = named(&push)?;
        let manifest = Manifest::parse(&push.bytes, push.content_type.as_deref())?;
        self.require_content(name, &manifest).await?;
        let first = match &push.reference {
            Reference::Tag(tag) => Some(tag),
            Reference::Digest(_) => None,
        };
        let tags: Vec<&Tag> = first.into_iter().chain(&push.tags).collect();
        let _alone = self.tag_locks.lock(name, tags.iter().copied()).await;
        self.require(name, &push).await?;
        self.store.put(&layout::blob(&digest), push.bytes.clone()).await?;
        self.write_link(&layout::link(&layout::revision(name, &digest)), &digest).await?;
        if let Some(subject) = &manifest.subject {
            self.write_link(&layout::link(&layout::referrer(name, subject, &digest)), &digest).await?;
        }
        for tag in tags {
            self.write_link(&layout::tag_index(name, tag, &digest), &digest).await?;
            self.write_link(&layout::tag_current(name, tag), &digest).await?;
        }
        Ok(Pushed { digest, subject: manifest.subject })
    }

    /// The push's condition holds now.
    async fn require(&self, name: &RepositoryName, push: &Push) -> Result<(), RegistryError> {
        if push.condition.is_empty() {
            return Ok(());
        }
        let now = match self.resolve(name, &push.reference).await {
            Ok(digest) => Some(digest),
            Err(RegistryError::ManifestUnknown | RegistryError::NameUnknown) => None,
            Err(error) => return Err(error),
        };
        if push.condition.holds(now.as_ref()) { Ok(()) } else { Err(RegistryError::Precondition) }
    }

    /// Every missing blob at once. An index may name children that were never pushed.
    async fn require_content(&self, name: &RepositoryName, manifest: &Manifest) -> Result<(), RegistryError> {
        let mut missing = Vec::new();
        for digest in &manifest.required {
            let linked = self.has_link(&layout::layer(name, digest)).await?;
            let there = linked && self.store.stat(&layout::blob(digest)).await?.is_some();
            if !there && !missing.contains(digest) {
                missing.push(digest.clone());
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(RegistryError::ContentMissing(missing)) }
    }

    /// Deletes a tag, or a manifest with all its tags. Refused while an index names the manifest.
    pub async fn delete_manifest(
        &self,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<(), RegistryError> {
        let digest = self.resolve(name, reference).await?;
        if let Reference::Tag(tag) = reference {
            let _alone = self.tag_locks.lock(name, [tag]).await;
            self.store.delete(&layout::tag(name, tag)).await?;
            return Ok(());
        }
        let by = self.referencing(name, &digest).await?;
        if !by.is_empty() {
            return Err(RegistryError::Referenced { by });
        }
        for tag in self.tags_of(name, &digest).await? {
            let _alone = self.tag_locks.lock(name, [&tag]).await;
            // It may have been moved to another manifest meanwhile.
            if self.read_link(&layout::tag_current(name, &tag)).await?.as_ref() == Some(&digest) {
                self.store.delete(&layout::tag(name, &tag)).await?;
            }
        }
        if let Some(bytes) = self.metadata.manifest(&digest).await?
            && let Some(subject) = Manifest::parse(&bytes, None)?.subject
        {
            self.store.delete(&layout::referrer(name, &subject, &digest)).await?;
        }
        self.metadata.forget(&digest).await;
        self.store.delete(&layout::revision(name, &digest)).await?;
        self.metadata.forget(&digest).await;
        Ok(())
    }

    /// Manifests of the repository that name this content.
    pub(in crate::registry) async fn referencing(
        &self,
        name: &RepositoryName,
        wanted: &Digest,
    ) -> Result<Vec<Digest>, RegistryError> {
        let mut by = Vec::new();
        for digest in self.revisions(name).await? {
            let Some(bytes) = self.metadata.manifest(&digest).await? else { continue };
            let Ok(manifest) = Manifest::parse(&bytes, None) else { continue };
            if manifest.references.contains(wanted) {
                by.push(digest);
            }
        }
        Ok(by)
    }

    async fn revisions(&self, name: &RepositoryName) -> Result<Vec<Digest>, RegistryError> {
        let mut linked = Vec::new();
        for algorithm in Algorithm::ALL {
            for hex in self.store.list(&layout::revisions(name, algorithm)).await? {
                let Ok(digest) = format!("{}:{hex}", algorithm.as_str()).parse() else { continue };
                if self.has_link(&layout::revision(name, &digest)).await? {
                    linked.push(digest);
                }
            }
        }
        Ok(linked)
    }
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
