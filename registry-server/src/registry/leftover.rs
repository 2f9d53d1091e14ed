//! Uploads that only one request knows of: they go with it, however that ends.

use uuid::Uuid;

use crate::{
    oci::{
        digest::{Algorithm, Digest},
        repository_name::RepositoryName,
    },
    registry::{aside::to_its_end, error::RegistryError, service::Registry, upload_sink::Received},
};

/// Such an upload. What is left of it is removed when this is dropped: nobody else does for a week.
pub struct Leftover {
    of: Option<(Registry, RepositoryName)>,
    id: Uuid,
    /// Whether it was counted as one that began.
    counted: bool,
}

impl Leftover {
    /// Its id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Makes it a blob, or removes it: also when nobody waits for that any more, and not before it is clear.
    pub async fn finish(self, wanted: &Digest, received: Option<Received>) -> Result<(), RegistryError> {
        let Some((registry, name)) = self.of.clone() else { return Err(RegistryError::UploadUnknown) };
        let wanted = wanted.clone();
        to_its_end(async move {
            let done = registry.finish_upload(&name, self.id, &wanted, received).await;
            match &done {
                Ok(()) => self.forget(),
                Err(_) => self.remove().await,
            }
            done
        })
        .await
    }

    fn forget(mut self) {
        self.of.take();
    }

    /// Removes it now.
    pub async fn remove(mut self) {
        if let Some((registry, name)) = self.of.take() {
            remove(&registry, &name, self.id, self.counted).await;
        }
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let (Some((registry, name)), id, counted) = (self.of.take(), self.id, self.counted) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { remove(&registry, &name, id, counted).await });
        }
    }
}

async fn remove(registry: &Registry, name: &RepositoryName, id: Uuid, counted: bool) {
    let removed = match counted {
        true => registry.cancel_upload(name, id).await,
        false => registry.remove_upload(name, id).await,
    };
    match removed {
        // It was cancelled for what was in it.
        Ok(()) | Err(RegistryError::UploadUnknown) => {}
        Err(error) => {
            tracing::warn!(repository = name.as_str(), upload = %id, %error, "an upload is left over");
        }
    }
}

impl Registry {
    /// Opens a session for a blob that comes with the same request.
    pub async fn begin_leftover(
        &self,
        name: &RepositoryName,
        algorithm: Option<Algorithm>,
    ) -> Result<Leftover, RegistryError> {
        self.leftover(name, algorithm, true).await
    }

    /// Opens a session that no client hears of.
    pub(in crate::registry) async fn open_leftover(
        &self,
        name: &RepositoryName,
    ) -> Result<Leftover, RegistryError> {
        self.leftover(name, None, false).await
    }

    /// Also when nobody waits for it any more: then it is dropped as soon as it is there.
    async fn leftover(
        &self,
        name: &RepositoryName,
        algorithm: Option<Algorithm>,
        counted: bool,
    ) -> Result<Leftover, RegistryError> {
        let (registry, name) = (self.clone(), name.clone());
        to_its_end(async move {
            let id = match counted {
                true => registry.begin_upload(&name, algorithm).await?,
                false => registry.open_upload(&name, algorithm).await?,
            };
            Ok(Leftover { of: Some((registry, name)), id, counted })
        })
        .await
    }
}
