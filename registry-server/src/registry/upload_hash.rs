//! The hash of an upload, kept beside its data so that any replica can go on with it.
//!
//! The record is `<algorithm> <bytes hashed> <state in hex> <second of the last byte>`. It may lag behind the
//! data after a crash; then the rest is read again.

use bytes::Bytes;
use futures::TryStreamExt;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    oci::{digest::Algorithm, hasher::Hasher, repository_name::RepositoryName},
    registry::{error::RegistryError, layout, service::Registry},
    storage::error::StorageError,
};

fn write(hasher: &Hasher, hashed: u64) -> Bytes {
    let (state, now) = (hex::encode(hasher.save()), Timestamp::now().as_second());
    format!("{} {hashed} {state} {now}", hasher.algorithm().as_str()).into()
}

fn read(record: &[u8]) -> Option<(Hasher, u64)> {
    let mut words = std::str::from_utf8(record).ok()?.split(' ');
    let algorithm = Algorithm::parse(words.next()?)?;
    let hashed = words.next()?.parse().ok()?;
    Some((Hasher::restore(algorithm, &hex::decode(words.next()?).ok()?)?, hashed))
}

fn last_byte(record: &[u8]) -> Option<Timestamp> {
    let second = std::str::from_utf8(record).ok()?.split(' ').nth(3)?;
    Timestamp::from_second(second.parse().ok()?).ok()
}

impl Registry {
    /// When the upload got its last byte, as far as that is recorded.
    pub(in crate::registry) async fn upload_grew(
        &self,
        name: &RepositoryName,
        id: Uuid,
    ) -> Result<Option<Timestamp>, RegistryError> {
        Ok(self.store.read(&layout::upload_hash(name, id)).await?.as_deref().and_then(last_byte))
    }

    /// How far the record goes: the upload had that many bytes once.
    pub(in crate::registry) async fn hashed(
        &self,
        name: &RepositoryName,
        id: Uuid,
    ) -> Result<u64, RegistryError> {
        let record = self.store.read(&layout::upload_hash(name, id)).await?;
        Ok(record.as_deref().and_then(read).map_or(0, |(_, hashed)| hashed))
    }

    pub(in crate::registry) async fn save_hash(
        &self,
        name: &RepositoryName,
        id: Uuid,
        hasher: &Hasher,
        hashed: u64,
    ) -> Result<(), RegistryError> {
        if hashed > 0 {
            // After a crash the record must not vouch for bytes that are not there.
            match self.store.sync(&layout::upload_data(name, id)).await {
                Err(StorageError::Missing { .. }) => return Err(RegistryError::UploadUnknown),
                done => done?,
            }
        }
        Ok(self.store.put(&layout::upload_hash(name, id), write(hasher, hashed)).await?)
    }

    /// The hash of the first `size` bytes; of the recorded algorithm unless another is asked for.
    pub(in crate::registry) async fn hash_so_far(
        &self,
        name: &RepositoryName,
        id: Uuid,
        size: u64,
        wanted: Option<Algorithm>,
    ) -> Result<Hasher, RegistryError> {
        let record = self.store.read(&layout::upload_hash(name, id)).await?;
        let saved = record.as_deref().and_then(read);
        let algorithm = wanted.or(saved.as_ref().map(|(h, _)| h.algorithm())).unwrap_or(Algorithm::Sha256);
        if saved.as_ref().is_some_and(|(_, hashed)| *hashed > size) {
            // It is about bytes that have gone. Others must not take it for the hash of those that come now.
            self.save_hash(name, id, &Hasher::new(algorithm), 0).await?;
        }
        let usable = saved.filter(|(h, hashed)| h.algorithm() == algorithm && *hashed <= size);
        let (mut hasher, hashed) = usable.unwrap_or_else(|| (Hasher::new(algorithm), 0));
        if hashed < size {
            let data = self.store.stream_appended(&layout::upload_data(name, id), hashed..size).await?;
            let mut data = data.ok_or(RegistryError::UploadUnknown)?;
            while let Some(chunk) = data.try_next().await? {
                hasher = hash_aside(hasher, chunk).await?;
            }
        }
        Ok(hasher)
    }
}

/// Hashes off the async threads.
pub(in crate::registry) async fn hash_aside(
    mut hasher: Hasher,
    chunk: Bytes,
) -> Result<Hasher, RegistryError> {
    let hashed = tokio::task::spawn_blocking(move || {
        hasher.update(&chunk);
        hasher
    });
    hashed.await.map_err(|e| RegistryError::Body(Box::new(e)))
}
