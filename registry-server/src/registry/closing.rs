//! The end of an upload: it becomes a blob, or it is dropped.
//!
//! Whoever ends an upload claims it first, and a claim is made once: so what is moved under a digest is what
//! was hashed, however many replicas and clients work on it. `startedat` goes before everything else.

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    metrics,
    oci::{digest::Digest, repository_name::RepositoryName},
    registry::{
        aside::to_its_end, coming::Place, error::RegistryError, layout, service::Registry,
        upload_sink::Received,
    },
    storage::error::StorageError,
};

/// An upload that becomes a blob.
struct Closing {
    name: RepositoryName,
    id: Uuid,
    digest: Digest,
    size: u64,
}

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
        let (registry, closing) =
            (self.clone(), Closing { name: name.clone(), id, digest: wanted.clone(), size });
        to_its_end(async move { registry.close(&closing).await }).await
    }

    /// Drops a session.
    pub async fn cancel_upload(&self, name: &RepositoryName, id: Uuid) -> Result<(), RegistryError> {
        self.upload_size(name, id).await?;
        let (registry, name) = (self.clone(), name.clone());
        to_its_end(async move {
            registry.drop_upload(&name, id).await?;
            metrics::upload("cancelled");
            Ok(())
        })
        .await
    }

    /// A full store has no room for a claim: there the upload loses its beginning first, which makes some. Where that
    /// is not enough it goes without one: nobody has a claim on it, or there would have been a conflict, and nobody gets
    /// one on what has no beginning.
    async fn drop_upload(&self, name: &RepositoryName, id: Uuid) -> Result<(), RegistryError> {
        match self.claim(name, id).await {
            Err(RegistryError::NoSpace(_)) => {
                self.store.delete(&layout::upload_started(name, id)).await?;
                match self.mark(name, id).await {
                    Err(RegistryError::NoSpace(_)) => {}
                    marked => marked?,
                }
            }
            claimed => claimed?,
        }
        self.remove_upload(name, id).await
    }

    async fn close(&self, upload: &Closing) -> Result<(), RegistryError> {
        let (name, id) = (&upload.name, upload.id);
        let place = self.admit(upload).await?;
        let done = self.carry_out(upload).await;
        self.leave(place, done.is_ok()).await;
        done?;
        metrics::upload("finished");
        // The blob is there. What is left of the session is found by the purge.
        if let Err(error) = self.remove_upload(name, id).await {
            tracing::warn!(repository = name.as_str(), upload = %id, %error, "a finished upload is not removed");
        }
        Ok(())
    }

    /// What has no room in the repository does not wait for some: its bytes would lie there for a week.
    async fn admit(&self, upload: &Closing) -> Result<Option<Place>, RegistryError> {
        let taken = self.take_room(&upload.name, &upload.digest, upload.size).await;
        if matches!(taken, Err(RegistryError::OverQuota { .. })) {
            self.drop_upload(&upload.name, upload.id).await?;
        }
        taken
    }

    async fn carry_out(&self, upload: &Closing) -> Result<(), RegistryError> {
        let (name, id) = (&upload.name, upload.id);
        self.claim(name, id).await?;
        let published = self.publish(upload).await;
        if published.is_err() {
            self.reopen(name, id).await;
        }
        published
    }

    /// Only one gets it; and nobody gets what has been removed meanwhile.
    async fn claim(&self, name: &RepositoryName, id: Uuid) -> Result<(), RegistryError> {
        self.mark(name, id).await?;
        let started = self.store.stat(&layout::upload_started(name, id)).await;
        if matches!(started, Ok(Some(_))) {
            return Ok(());
        }
        // Also where the store does not say: a claim that nobody carries out would end the session.
        let withdrawn = self.store.delete(&layout::upload_closing(name, id)).await;
        started?;
        withdrawn?;
        Err(RegistryError::UploadUnknown)
    }

    /// Makes the claim, which one alone can.
    async fn mark(&self, name: &RepositoryName, id: Uuid) -> Result<(), RegistryError> {
        let claim = layout::upload_closing(name, id);
        match self.store.append(&claim, 0, Uuid::new_v4().to_string().into()).await {
            Err(StorageError::Conflict { .. }) => Err(RegistryError::UploadUnknown),
            done => Ok(done?),
        }
    }

    /// The link comes first: without content it shows nothing, and content that has moved cannot come back.
    async fn publish(&self, upload: &Closing) -> Result<(), RegistryError> {
        let folder = layout::layer(&upload.name, &upload.digest);
        let link = layout::link(&folder);
        self.write_link(&link, &upload.digest).await?;
        if let Err(error) = self.move_content(upload).await {
            if let Err(left) = self.withdraw(&folder, &upload.digest).await {
                tracing::warn!(repository = upload.name.as_str(), error = %left, "a link without content is left");
            }
            return Err(error);
        }
        // Somebody else with the same content may have failed, and withdrawn the link.
        if self.store.stat(&link).await?.is_none() {
            self.write_link(&link, &upload.digest).await?;
        }
        Ok(())
    }

    async fn move_content(&self, upload: &Closing) -> Result<(), RegistryError> {
        let blob = layout::blob(&upload.digest);
        if upload.size == 0 {
            return Ok(self.store.put(&blob, Bytes::new()).await?);
        }
        match self.store.commit(&layout::upload_data(&upload.name, upload.id), &blob, upload.size).await {
            Err(StorageError::Missing { .. }) => Err(RegistryError::UploadUnknown),
            Err(StorageError::Conflict { .. }) => {
                Err(RegistryError::OutOfOrder { received: self.upload_size(&upload.name, upload.id).await? })
            }
            done => Ok(done?),
        }
    }

    /// Removes a link that has no content: it would make the repository a known one. Whoever has moved the content
    /// there meanwhile sees that the link is gone, or is seen here.
    async fn withdraw(&self, folder: &str, digest: &Digest) -> Result<(), RegistryError> {
        let blob = layout::blob(digest);
        if self.store.stat(&blob).await?.is_some() {
            return Ok(());
        }
        self.store.delete(folder).await?;
        if self.store.stat(&blob).await?.is_some() {
            self.write_link(&layout::link(folder), digest).await?;
        }
        Ok(())
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
