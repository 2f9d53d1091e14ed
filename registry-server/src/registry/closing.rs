//! The end of an upload: it becomes a blob, or it is dropped.
//!
//! Whoever ends an upload claims it first, and a claim is made once: so what is moved under a digest is what
//! was hashed, however many replicas and clients work on it. `startedat` goes before everything else.

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    oci::{digest::Digest, repository_name::RepositoryName},
    registry::{aside::to_its_end, error::RegistryError, layout, service::Registry, upload_sink::Received},
    storage::error::StorageError,
};

impl Registry {
    /// Compares the digest and makes the upload a blob of the repository. `received` is what the last bytes
    /// left, if they came with the same request.
    pub async fn finish_upload(
        &self,
        name: &RepositoryName,
        id: Uuid,
        wanted: &Digest,
        received: Option<Received>,
    ) -> Result<(), RegistryError> {
        let (size, hasher) = match received {
            Some(received) if received.hasher.algorithm() == wanted.algorithm() => {
                (received.size, received.hasher)
            }
            _ => {
                let size = self.upload_size(name, id).await?;
                (size, self.hash_so_far(name, id, size, Some(wanted.algorithm())).await?)
            }
        };
        let actual = hasher.finish();
        if actual != *wanted {
            self.cancel_upload(name, id).await?;
            return Err(RegistryError::DigestMismatch { wanted: wanted.clone(), actual });
        }
        let (registry, name, wanted) = (self.clone(), name.clone(), wanted.clone());
        to_its_end(async move { registry.close(&name, id, &wanted, size).await }).await
    }

    /// Drops a session.
    pub async fn cancel_upload(&self, name: &RepositoryName, id: Uuid) -> Result<(), RegistryError> {
        self.upload_size(name, id).await?;
        let (registry, name) = (self.clone(), name.clone());
        to_its_end(async move {
            registry.claim(&name, id).await?;
            registry.remove_upload(&name, id).await
        })
        .await
    }

    async fn close(
        &self,
        name: &RepositoryName,
        id: Uuid,
        digest: &Digest,
        size: u64,
    ) -> Result<(), RegistryError> {
        self.claim(name, id).await?;
        if let Err(error) = self.publish(name, id, digest, size).await {
            self.reopen(name, id).await;
            return Err(error);
        }
        // The blob is there. What is left of the session is found by the purge.
        if let Err(error) = self.remove_upload(name, id).await {
            tracing::warn!(repository = name.as_str(), upload = %id, %error, "a finished upload is not removed");
        }
        Ok(())
    }

    /// Only one gets it; and nobody gets what has been removed meanwhile.
    async fn claim(&self, name: &RepositoryName, id: Uuid) -> Result<(), RegistryError> {
        let claim = layout::upload_closing(name, id);
        match self.store.append(&claim, 0, Uuid::new_v4().to_string().into()).await {
            Err(StorageError::Conflict { .. }) => return Err(RegistryError::UploadUnknown),
            done => done?,
        }
        if self.store.stat(&layout::upload_started(name, id)).await?.is_none() {
            self.store.delete(&claim).await?;
            return Err(RegistryError::UploadUnknown);
        }
        Ok(())
    }

    /// The link comes first: without content it shows nothing, and content that has moved cannot come back.
    async fn publish(
        &self,
        name: &RepositoryName,
        id: Uuid,
        digest: &Digest,
        size: u64,
    ) -> Result<(), RegistryError> {
        self.write_link(&layout::link(&layout::layer(name, digest)), digest).await?;
        if size == 0 {
            return Ok(self.store.put(&layout::blob(digest), Bytes::new()).await?);
        }
        match self.store.commit(&layout::upload_data(name, id), &layout::blob(digest), size).await {
            Err(StorageError::Missing { .. }) => Err(RegistryError::UploadUnknown),
            Err(StorageError::Conflict { .. }) => {
                Err(RegistryError::OutOfOrder { received: self.upload_size(name, id).await? })
            }
            done => Ok(done?),
        }
    }

    /// The session goes on. What was hashed may be gone, so it is hashed again.
    async fn reopen(&self, name: &RepositoryName, id: Uuid) {
        let forgotten = self.store.delete(&layout::upload_hash(name, id)).await;
        let reopened = match forgotten {
            Ok(_) => self.store.delete(&layout::upload_closing(name, id)).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = reopened {
            tracing::warn!(repository = name.as_str(), upload = %id, %error, "an upload cannot go on");
        }
    }

    /// Without its beginning it is no session, whatever is left of it.
    pub(in crate::registry) async fn remove_upload(
        &self,
        name: &RepositoryName,
        id: Uuid,
    ) -> Result<(), RegistryError> {
        self.store.delete(&layout::upload_started(name, id)).await?;
        self.store.delete(&layout::upload(name, id)).await?;
        Ok(())
    }
}
