//! Removing abandoned uploads now and then.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use crate::{metrics, registry::service::Registry, settings::Settings};

/// A server that has just started has other things to do.
const FIRST: Duration = Duration::from_secs(300);

/// Looks through the store once an interval, by the settings of that moment. Never ends.
pub async fn run(registry: Registry, settings: Arc<ArcSwap<Settings>>) {
    let mut pause = FIRST;
    loop {
        tokio::time::sleep(pause).await;
        let now = settings.load_full();
        pause = now.purging.interval;
        if now.purging.enabled && !now.readonly && registry.writable().await.is_ok() {
            purge(&registry, now.purging.age, now.purging.dry_run).await;
        }
    }
}

async fn purge(registry: &Registry, age: Duration, dry_run: bool) {
    match registry.purge_uploads(jiff::Timestamp::now(), age, dry_run).await {
        Ok(uploads) => {
            if !dry_run {
                metrics::uploads_purged(uploads);
            }
            tracing::info!(uploads, dry_run, "looked for abandoned uploads");
        }
        Err(error) => tracing::error!(%error, "cannot look for abandoned uploads"),
    }
}
