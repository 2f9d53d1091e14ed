//! A sign that an upload lives whose bytes wait elsewhere.

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    oci::repository_name::RepositoryName,
    registry::{layout, service::Registry, upload_sink::SAVED_TIME, uploads::BodyError},
};

/// Shows that it lives as long as bytes arrive: they may do so for longer than an upload may be silent.
pub(in crate::registry) struct Life<'a> {
    registry: &'a Registry,
    name: &'a RepositoryName,
    id: Uuid,
    shown: Instant,
}

impl<'a> Life<'a> {
    pub(in crate::registry) fn of(registry: &'a Registry, name: &'a RepositoryName, id: Uuid) -> Self {
        Self { registry, name, id, shown: Instant::now() }
    }

    /// The same body.
    pub(in crate::registry) fn watch<E: BodyError>(
        self,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> impl Stream<Item = Result<Bytes, E>> + Unpin {
        let watched = stream::unfold((body, self), |(mut body, mut life)| async move {
            let frame = body.next().await?;
            if life.shown.elapsed() >= SAVED_TIME && life.registry.trusted() {
                life.show().await;
            }
            Some((frame, (body, life)))
        });
        Box::pin(watched)
    }

    async fn show(&mut self) {
        self.shown = Instant::now();
        // Not in the record of the hash, which others may be writing, and not in `startedat`, which makes a session.
        let (now, key) = (jiff::Timestamp::now().to_string(), layout::upload_alive(self.name, self.id));
        if let Err(error) = self.registry.store.put(&key, now.into()).await {
            // What is really wrong shows at the chunk.
            tracing::debug!(repository = self.name.as_str(), upload = %self.id, %error, "no sign of life");
        }
    }
}
