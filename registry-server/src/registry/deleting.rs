//! Deleting tags, manifests and blobs, and what stands against it.

use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    oci::{
        digest::Digest, manifest::Manifest, reference::Reference, repository_name::RepositoryName, tag::Tag,
    },
    registry::{
        aside::to_its_end,
        condition::Terms,
        error::RegistryError,
        layout,
        service::{AT_ONCE, Registry},
    },
};

/// What a deletion has taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The manifest, or the one that the tag stood for, if that could be read.
    pub digest: Option<Digest>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl Registry {
    /// Deletes a tag, or a manifest with all its tags. Refused while an index names the manifest.
    pub async fn delete_manifest(
        &self,
        name: &RepositoryName,
        reference: &Reference,
        terms: &Terms,
    ) -> Result<Deleted, RegistryError> {
        let (registry, name, reference) = (self.clone(), name.clone(), reference.clone());
        let terms = terms.clone();
        to_its_end(async move {
            match &reference {
                Reference::Tag(tag) => registry.delete_tag(&name, tag, &terms).await,
                Reference::Digest(digest) => registry.delete_revision(&name, digest, &terms).await,
            }
        })
        .await
    }

    /// Takes a blob out of a repository. Refused while a manifest of the repository needs it.
    pub async fn delete_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        terms: &Terms,
    ) -> Result<(), RegistryError> {
        let (registry, name, digest) = (self.clone(), name.clone(), digest.clone());
        let wanted = terms.condition.holds(Some(&digest));
        to_its_end(async move { registry.delete_layer(&name, &digest, wanted).await }).await
    }

    /// Whatever there is of it: a tag may have been written or removed by half.
    async fn delete_tag(
        &self,
        name: &RepositoryName,
        tag: &Tag,
        terms: &Terms,
    ) -> Result<Deleted, RegistryError> {
        let _alone = self.locks.tags(name, [tag]).await;
        self.require_movable(name, tag, None, terms).await?;
        self.require_of_what_is_there(name, &Reference::Tag(tag.clone()), terms).await?;
        // Of a tag that was written by half nothing can be said.
        let stood_for = self.read_link(&layout::tag_current(name, tag)).await;
        if self.store.delete(&layout::tag(name, tag)).await? {
            return Ok(Deleted { digest: stood_for.unwrap_or_default(), tags: vec![tag.clone()] });
        }
        Err(self.or_name_unknown(name, RegistryError::ManifestUnknown).await)
    }

    async fn delete_revision(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        terms: &Terms,
    ) -> Result<Deleted, RegistryError> {
        let _alone = self.locks.manifest(name, digest).await;
        let reference = Reference::Digest(digest.clone());
        self.resolve(name, &reference).await?;
        self.require_unused(name, digest).await?;
        // Its tags would go with it.
        for tag in self.tags_of(name, digest).await? {
            self.require_movable(name, &tag, None, terms).await?;
        }
        self.require(name, &reference, terms).await?;
        let mut tags = self.delete_tags_of(name, digest).await?;
        let subject = self.subject_of(digest).await?;
        let revision = layout::revision(name, digest);
        self.metadata.forget(digest).await;
        self.store.delete(&revision).await?;
        self.metadata.forget(digest).await;
        self.recount(name).await;
        // A manifest that is there is listed at its subject, also when we die in between.
        let referrer = subject.map(|subject| layout::referrer(name, &subject, digest));
        // Another replica may have set a tag meanwhile, and then sees that the manifest is gone, or has gone.
        if !self.unlist(&revision, referrer.as_deref(), digest).await? {
            tags.extend(self.delete_tags_of(name, digest).await?);
        }
        Ok(Deleted { digest: Some(digest.clone()), tags })
    }

    /// Takes a manifest whose revision was removed from the list of its subject. Another replica may have pushed it
    /// again in between, and its push must not be hidden: then it is listed, too. Says whether the revision is there.
    pub(in crate::registry) async fn unlist(
        &self,
        revision: &str,
        referrer: Option<&str>,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        if let Some(referrer) = referrer {
            self.store.delete(referrer).await?;
        }
        let there = self.has_link(revision).await?;
        if let Some(referrer) = referrer.filter(|_| there) {
            self.keep_link(referrer, digest).await?;
        }
        Ok(there)
    }

    async fn subject_of(&self, digest: &Digest) -> Result<Option<Digest>, RegistryError> {
        let bytes = self.metadata.manifest(digest).await?;
        Ok(bytes.and_then(|bytes| Manifest::parse(&bytes, None).ok()?.subject))
    }

    async fn delete_tags_of(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<Tag>, RegistryError> {
        let mut deleted = Vec::new();
        for tag in self.tags_of(name, digest).await? {
            let _alone = self.locks.tags(name, [&tag]).await;
            // It may have been moved to another manifest meanwhile.
            if self.is_tag_of(name, &tag, digest).await? {
                self.store.delete(&layout::tag(name, &tag)).await?;
                deleted.push(tag);
            }
        }
        Ok(deleted)
    }

    async fn delete_layer(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        wanted: bool,
    ) -> Result<(), RegistryError> {
        let folder = layout::layer(name, digest);
        if !self.has_link(&folder).await? {
            return Err(RegistryError::BlobUnknown);
        }
        self.require_unused(name, digest).await?;
        if !wanted {
            return Err(RegistryError::Precondition);
        }
        self.metadata.forget(digest).await;
        self.store.delete(&folder).await?;
        self.metadata.forget(digest).await;
        self.recount(name).await;
        // A manifest that has been pushed meanwhile has seen the link, or sees that it is gone.
        let unused = self.require_unused(name, digest).await;
        if unused.is_err() {
            self.write_link(&layout::link(&folder), digest).await?;
            self.recount(name).await;
        }
        unused
    }

    /// No manifest of the repository names this content.
    async fn require_unused(&self, name: &RepositoryName, wanted: &Digest) -> Result<(), RegistryError> {
        let manifests = stream::iter(self.linked(&layout::all_revisions(name)).await?);
        let naming = manifests.map(|digest| async move {
            let names = self.names(name, &digest, wanted).await?;
            Ok::<_, RegistryError>(names.then_some(digest))
        });
        let by: Vec<Option<Digest>> = naming.buffered(AT_ONCE).try_collect().await?;
        let by: Vec<Digest> = by.into_iter().flatten().collect();
        if by.is_empty() { Ok(()) } else { Err(RegistryError::Referenced { by }) }
    }

    /// Whether the manifest is in the repository and names the content.
    async fn names(
        &self,
        name: &RepositoryName,
        manifest: &Digest,
        content: &Digest,
    ) -> Result<bool, RegistryError> {
        if !self.has_link(&layout::revision(name, manifest)).await? {
            return Ok(false);
        }
        let Some(bytes) = self.metadata.manifest(manifest).await? else { return Ok(false) };
        Ok(Manifest::parse(&bytes, None).is_ok_and(|manifest| manifest.references.contains(content)))
    }
}
