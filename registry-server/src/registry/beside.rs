//! A long chunk whose length shows at its end only, and may not be what its range says.
//!
//! Bytes of an upload stay what they are once they are counted: what is moved under a digest is what was hashed. So
//! nothing is taken back from an upload; such a chunk waits in one of its own until it has proved to be right.

use bytes::Bytes;
use futures::Stream;
use uuid::Uuid;

use crate::{
    oci::repository_name::RepositoryName,
    registry::{
        aside::to_its_end,
        error::RegistryError,
        layout,
        life::Life,
        quota::Room,
        service::Registry,
        upload_sink::Received,
        uploads::{BodyError, Chunk},
    },
    storage::error::StorageError,
};

impl Registry {
    /// Takes in all of a chunk or nothing.
    pub(in crate::registry) async fn receive_beside<E: BodyError>(
        &self,
        name: &RepositoryName,
        id: Uuid,
        chunk: Chunk,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Received, RegistryError> {
        let start = self.start_of(name, id, &chunk).await?;
        let leftover = self.open_leftover(name).await?;
        let beside = leftover.id();
        let alone = Chunk {
            range: chunk.range.map(|(first, last)| (0, last - first)),
            limit: chunk.limit.map(|limit| limit.saturating_sub(start)),
            room: chunk.room.map(|room| Room { used: room.used.saturating_add(start), ..room }),
            ..chunk
        };
        let arrived = self.take_in(name, beside, alone, Life::of(self, name, id).watch(body)).await;
        let (registry, name) = (self.clone(), name.clone());
        to_its_end(async move {
            let done = match arrived {
                Ok((Ok(()), received)) => {
                    let size = received.map_or(0, |received| received.size);
                    registry.move_over(&name, (beside, size), id, chunk).await
                }
                Ok((Err(error), _)) | Err(error) => Err(registry.refused(&name, id, chunk, error).await),
            };
            leftover.remove().await;
            done
        })
        .await
    }

    async fn move_over(
        &self,
        name: &RepositoryName,
        (beside, size): (Uuid, u64),
        id: Uuid,
        chunk: Chunk,
    ) -> Result<Received, RegistryError> {
        let bytes = self.store.stream_appended(&layout::upload_data(name, beside), 0..size).await?;
        let bytes = bytes.ok_or(RegistryError::UploadUnknown)?;
        let moved = self.receive_straight(name, id, chunk, bytes).await;
        moved.map_err(|error| match error {
            RegistryError::Body(source) => match source.downcast::<StorageError>() {
                Ok(failed) => RegistryError::from(*failed),
                Err(source) => RegistryError::Body(source),
            },
            other => other,
        })
    }

    /// What ends an upload ends the one that the chunk was for.
    async fn refused(
        &self,
        name: &RepositoryName,
        id: Uuid,
        chunk: Chunk,
        error: RegistryError,
    ) -> RegistryError {
        let ending = match error {
            RegistryError::BlobTooLarge { limit } => {
                RegistryError::BlobTooLarge { limit: chunk.limit.unwrap_or(limit) }
            }
            RegistryError::OverQuota { limit, used } => {
                let used = chunk.room.map_or(used, |room| room.used);
                RegistryError::OverQuota { limit, used }
            }
            RegistryError::TooManyPieces { .. } => error,
            other => return other,
        };
        match self.cancel_upload(name, id).await {
            Err(RegistryError::UploadUnknown) => RegistryError::UploadUnknown,
            _ => ending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use futures::{StreamExt, stream};
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::{
        registry::metadata::FromStore,
        storage::{backend::Backend, memory::Memory},
    };

    struct Begun {
        store: Arc<dyn Backend>,
        registry: Registry,
        name: RepositoryName,
        id: Uuid,
    }

    impl Begun {
        async fn new() -> Self {
            let store: Arc<dyn Backend> = Arc::new(Memory::default());
            let registry = Registry::new(Arc::clone(&store), Arc::new(FromStore(Arc::clone(&store))));
            let name: RepositoryName = "n".parse().unwrap();
            let id = registry.begin_upload(&name, None).await.unwrap();
            Self { store, registry, name, id }
        }

        async fn uploads(&self) -> usize {
            self.store.list(&layout::uploads(&self.name)).await.unwrap().len()
        }

        fn piece(&self) -> Bytes {
            vec![b'x'; self.store.piece() + 1].into()
        }
    }

    fn waiting(limit: Option<u64>) -> Chunk {
        Chunk { range: Some((0, u64::MAX / 2)), streamed: true, limit, room: None }
    }

    // registry C21 C30: a client that leaves in the middle leaves nothing that only we know of
    #[tokio::test]
    async fn a_request_that_is_given_up_leaves_no_chunk() {
        let begun = Begun::new().await;
        let (sent, mut arrived) = tokio::sync::mpsc::channel(1);
        let piece = begun.piece();
        let first = stream::once(async move {
            sent.send(()).await.unwrap();
            Ok::<_, Infallible>(piece)
        });
        let body = Box::pin(first.chain(stream::pending()));
        let (given_up, at, id) = (begun.registry.clone(), begun.name.clone(), begun.id);
        let request =
            tokio::spawn(
                async move { given_up.receive_upload(&at, id, waiting(None), body).await.map(drop) },
            );
        arrived.recv().await.unwrap();
        assert_eq!(begun.uploads().await, 2, "it does not wait beside");
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        while begun.uploads().await > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(begun.registry.upload_size(&begun.name, id).await.unwrap(), 0);
    }

    // registry GC8: a chunk may take longer than an upload may be silent
    #[tokio::test(start_paused = true)]
    async fn an_upload_lives_while_its_chunk_waits_beside() {
        let begun = Begun::new().await;
        let long_ago = "2020-01-01T00:00:00Z";
        begun.store.put(&layout::upload_started(&begun.name, begun.id), long_ago.into()).await.unwrap();
        let (now, age) = (jiff::Timestamp::now(), std::time::Duration::from_secs(3600));
        let frame = stream::once(async {
            tokio::time::sleep(std::time::Duration::from_secs(61)).await;
            Ok::<_, Infallible>(begun.piece())
        });
        let purging = stream::once(async {
            assert_eq!(begun.registry.purge_uploads(now, age, false).await.unwrap(), 0);
            Ok(Bytes::from_static(b"end"))
        });
        let body = Box::pin(frame.chain(purging));
        let size = begun.piece().len() as u64 + 3;
        let chunk = Chunk { range: Some((0, size - 1)), ..waiting(None) };
        let appended = begun.registry.append_upload(&begun.name, begun.id, chunk, body).await;
        assert_eq!(appended.unwrap(), size);
        // Afterwards it is as silent as any other.
        assert_eq!(begun.registry.purge_uploads(now + 2 * age, age, false).await.unwrap(), 1);
        assert_eq!(begun.uploads().await, 0);
    }

    // registry OB3 LM1
    #[test]
    fn an_upload_that_its_chunk_ends_is_counted_once() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let too_large = async {
            let begun = Begun::new().await;
            let body = stream::iter([Ok::<_, Infallible>(begun.piece())]);
            let refused = begun.registry.append_upload(&begun.name, begun.id, waiting(Some(9)), body).await;
            assert!(matches!(refused, Err(RegistryError::BlobTooLarge { limit: 9 })), "{refused:?}");
            assert_eq!(begun.uploads().await, 0);
        };
        ::metrics::with_local_recorder(&recorder, || runtime.block_on(too_large));
        let counted = recorder.handle().render();
        for event in ["begun", "cancelled"] {
            let line = format!("registry_uploads_total{{event=\"{event}\"}} 1\n");
            assert!(counted.contains(&line), "{line} in {counted}");
        }
    }
}
