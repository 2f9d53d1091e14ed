//! Uploads that were begun and never finished, and what writes have left that were not.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    oci::repository_name::RepositoryName,
    registry::{error::RegistryError, layout, service::Registry},
    storage::error::StorageError,
};

/// A write is over by then.
const WRITTEN: Duration = Duration::from_secs(3600);

impl Registry {
    /// Removes what writes of processes that died have left, and that has been there for `age` before `now`, or counts
    /// it only. Gives how much.
    pub async fn purge_left(
        &self,
        now: Timestamp,
        age: Duration,
        dry_run: bool,
    ) -> Result<u64, RegistryError> {
        let Some(before) = SystemTime::from(now).checked_sub(age.max(WRITTEN)) else { return Ok(0) };
        Ok(self.store.remove_left(layout::ROOT, before, dry_run).await?)
    }

    /// Removes the uploads that had no new byte for `age` before `now`, or counts them only. Gives how many.
    pub async fn purge_uploads(
        &self,
        now: Timestamp,
        age: Duration,
        dry_run: bool,
    ) -> Result<u64, RegistryError> {
        let mut purged = 0;
        for (name, id) in self.uploads().await? {
            let abandoned = self.last_sign(&name, id, dry_run).await?.is_some_and(|last| {
                Duration::try_from(now.duration_since(last)).is_ok_and(|silent| silent >= age)
            });
            if abandoned {
                tracing::info!(repository = name.as_str(), upload = %id, dry_run, "upload is abandoned");
                purged += 1;
            }
            if abandoned && !dry_run {
                self.remove_upload(&name, id).await?;
            }
        }
        Ok(purged)
    }

    async fn uploads(&self) -> Result<Vec<(RepositoryName, Uuid)>, RegistryError> {
        let (mut found, mut walk) = (Vec::new(), self.walk(""));
        while let Some(path) = walk.next().await? {
            if let Ok(name) = path.parse::<RepositoryName>() {
                let ids = self.store.list(&layout::uploads(&name)).await?;
                found.extend(ids.iter().filter_map(|id| Some((name.clone(), id.parse().ok()?))));
            }
        }
        Ok(found)
    }

    /// When the upload began or got its last byte. What is left of a session that was being removed begins now,
    /// and is no session again: its hash may be about bytes that have gone.
    async fn last_sign(
        &self,
        name: &RepositoryName,
        id: Uuid,
        dry_run: bool,
    ) -> Result<Option<Timestamp>, RegistryError> {
        let started = self.instant(&layout::upload_started(name, id)).await?;
        let grew = self.upload_grew(name, id).await?;
        if started.is_some() {
            let alive = self.instant(&layout::upload_alive(name, id)).await?;
            return Ok(started.max(grew).max(alive));
        }
        let key = layout::upload_leftover(name, id);
        let seen = self.instant(&key).await?;
        if seen.is_none() && !dry_run {
            match self.store.put(&key, Timestamp::now().to_string().into()).await {
                // Others make room, and it is seen again.
                Err(StorageError::NoSpace { .. }) => {}
                done => done?,
            }
        }
        Ok(seen)
    }

    async fn instant(&self, key: &str) -> Result<Option<Timestamp>, RegistryError> {
        let text = self.store.read(key).await?;
        Ok(text.and_then(|text| std::str::from_utf8(&text).ok()?.trim().parse().ok()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::stream;

    use super::*;
    use crate::{
        registry::{metadata::FromStore, uploads::Chunk},
        storage::{backend::Backend, memory::Memory},
    };

    const HOUR: Duration = Duration::from_secs(3600);

    // registry GC8 C39
    #[tokio::test]
    async fn only_uploads_without_traffic_are_removed() {
        let store: Arc<dyn Backend> = Arc::new(Memory::default());
        let registry = Registry::new(Arc::clone(&store), Arc::new(FromStore(Arc::clone(&store))));
        let name: RepositoryName = "a/b".parse().unwrap();
        let body = |text: &'static str| stream::iter([Ok::<_, std::io::Error>(text.into())]);
        let silent = registry.begin_upload(&name, None).await.unwrap();
        let busy = registry.begin_upload(&name, None).await.unwrap();
        for id in [silent, busy] {
            store.put(&layout::upload_started(&name, id), "2020-01-01T00:00:00Z".into()).await.unwrap();
        }
        registry.append_upload(&name, busy, Chunk::default(), body("x")).await.unwrap();
        let now = Timestamp::now();
        assert_eq!(
            registry.purge_uploads("2020-01-01T00:59:59Z".parse().unwrap(), HOUR, false).await.unwrap(),
            0
        );
        assert_eq!(registry.purge_uploads(now, HOUR, true).await.unwrap(), 1);
        assert!(registry.upload_size(&name, silent).await.is_ok());
        assert_eq!(registry.purge_uploads(now, HOUR, false).await.unwrap(), 1);
        assert!(registry.upload_size(&name, silent).await.is_err());
        assert_eq!(registry.upload_size(&name, busy).await.unwrap(), 1);
        assert_eq!(registry.purge_uploads(now + 2 * HOUR, HOUR, false).await.unwrap(), 1);
        assert_eq!(store.list(&layout::uploads(&name)).await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_session_without_a_start_is_removed_later() {
        let store: Arc<dyn Backend> = Arc::new(Memory::default());
        let registry = Registry::new(Arc::clone(&store), Arc::new(FromStore(Arc::clone(&store))));
        let (name, id): (RepositoryName, _) = ("n".parse().unwrap(), Uuid::new_v4());
        store.append(&layout::upload_data(&name, id), 0, "left over".into()).await.unwrap();
        assert_eq!(registry.purge_uploads(Timestamp::now(), HOUR, false).await.unwrap(), 0);
        assert_eq!(registry.purge_uploads(Timestamp::now() + 2 * HOUR, HOUR, false).await.unwrap(), 1);
        assert_eq!(store.list(&layout::uploads(&name)).await.unwrap(), Vec::<String>::new());
    }
}
