//! Blobs of a repository: look, read, mount.

use std::ops::Range;

use crate::{
    oci::{digest::Digest, repository_name::RepositoryName},
    registry::{aside::to_its_end, error::RegistryError, layout, service::Registry},
    storage::backend::ByteStream,
};

impl Registry {
    /// Size of a blob, or of a manifest read as one, that the repository has.
    pub async fn blob_size(&self, name: &RepositoryName, digest: &Digest) -> Result<u64, RegistryError> {
        self.require_link(name, digest).await?;
        self.metadata.size(digest).await?.ok_or(RegistryError::BlobUnknown)
    }

    /// The same for a client that asks whether to send it, or fetches it elsewhere: nothing is answered from a cache.
    pub async fn blob_size_now(&self, name: &RepositoryName, digest: &Digest) -> Result<u64, RegistryError> {
        self.require_link(name, digest).await?;
        match self.store.stat(&layout::blob(digest)).await? {
            Some(size) => Ok(size),
            None => {
                self.metadata.forget(digest).await;
                Err(RegistryError::BlobUnknown)
            }
        }
    }

    async fn require_link(&self, name: &RepositoryName, digest: &Digest) -> Result<(), RegistryError> {
        let linked = self.has_link(&layout::layer(name, digest)).await?
            || self.has_link(&layout::revision(name, digest)).await?;
        linked.then_some(()).ok_or(RegistryError::BlobUnknown)
    }

    /// Whether clients may fetch blobs from the store itself.
    pub fn redirects(&self) -> bool {
        self.redirects.is_some()
    }

    /// Where the client can fetch a blob whose size was asked before, if not here.
    pub async fn blob_url(&self, digest: &Digest) -> Result<Option<String>, RegistryError> {
        let Some(valid) = self.redirects else { return Ok(None) };
        Ok(self.store.url(&layout::blob(digest), valid).await?)
    }

    /// Bytes of a blob whose size was asked before.
    pub async fn blob_bytes(&self, digest: &Digest, range: Range<u64>) -> Result<ByteStream, RegistryError> {
        match self.store.stream(&layout::blob(digest), range).await? {
            Some(stream) => Ok(stream),
            None => {
                self.metadata.forget(digest).await;
                Err(RegistryError::BlobUnknown)
            }
        }
    }

    /// Makes a blob of `from` a blob of `name`; false when `from` does not have it.
    pub async fn mount(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        from: &RepositoryName,
    ) -> Result<bool, RegistryError> {
        // Whoever may read there is told what is there, and nothing about what is elsewhere.
        if !self.has_link(&layout::layer(from, digest)).await? {
            return Ok(false);
        }
        let Some(size) = self.store.stat(&layout::blob(digest)).await? else { return Ok(false) };
        let (registry, name, digest) = (self.clone(), name.clone(), digest.clone());
        to_its_end(async move { registry.link(&name, &digest, size).await }).await?;
        Ok(true)
    }

    async fn link(&self, name: &RepositoryName, digest: &Digest, size: u64) -> Result<(), RegistryError> {
        let place = self.take_room(name, digest, size).await?;
        let linked = self.write_link(&layout::link(&layout::layer(name, digest)), digest).await;
        self.leave(place, linked.is_ok()).await;
        linked
    }

    /// Makes a blob of any repository that is `allowed` a blob of `name`; gives that repository, or nothing when none is
    /// found soon enough. Where something `is_hidden` from whoever asks, all are looked through also for what is nowhere:
    /// how long it takes would tell them apart.
    pub async fn mount_from_any(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        allowed: impl Fn(&str) -> bool,
        is_hidden: bool,
    ) -> Result<Option<RepositoryName>, RegistryError> {
        if !is_hidden && self.store.stat(&layout::blob(digest)).await?.is_none() {
            return Ok(None);
        }
        if allowed(name.as_str()) && self.has_layer(name, digest).await? {
            return Ok(Some(name.clone()));
        }
        let looking = self.look_for(name, digest, allowed);
        tokio::time::timeout(self.reach.patience, looking).await.unwrap_or(Ok(None))
    }

    /// Mounts it from the first repository that is `allowed` and has it.
    async fn look_for(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        allowed: impl Fn(&str) -> bool,
    ) -> Result<Option<RepositoryName>, RegistryError> {
        let (mut walk, mut looks) = (self.walk(""), self.reach.mounts);
        for _ in 0..self.reach.folders {
            let Some(path) = walk.next().await?.filter(|_| looks > 0) else { break };
            if !allowed(&path) {
                continue;
            }
            looks -= 1;
            if let Ok(from) = path.parse()
                && self.mount(name, digest, &from).await?
            {
                return Ok(Some(from));
            }
        }
        Ok(None)
    }
}
