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
    let now = jiff::Timestamp::now();
    match registry.purge_uploads(now, age, dry_run).await {
        Ok(uploads) => {
            if !dry_run {
                metrics::uploads_purged(uploads);
            }
            tracing::info!(uploads, dry_run, "looked for abandoned uploads");
        }
        Err(error) => tracing::error!(%error, "cannot look for abandoned uploads"),
    }
    match registry.purge_left(now, age, dry_run).await {
        Ok(files) => tracing::info!(files, dry_run, "looked for what unfinished writes have left"),
        Err(error) => tracing::error!(%error, "cannot look for what unfinished writes have left"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use metrics_exporter_prometheus::PrometheusBuilder;
    use registry_config::schema::Config;

    use super::*;
    use crate::{
        registry::metadata::FromStore,
        storage::{backend::Backend, fs::Filesystem, measured::Measured},
    };

    const UPLOAD: &str =
        "docker/registry/v2/repositories/n/_uploads/7b1d1c3a-8a0c-4f6e-9a51-1f0c8de5a111/startedat";
    const LEFT: &str = "docker/registry/v2/blobs/sha256/.7b1d1c3a-8a0c-4f6e-9a51-1f0c8de5a111.tmp";

    // registry GC8 OB3: after a while, and what it removes is counted
    #[test]
    fn a_running_server_removes_what_nobody_goes_on_with() {
        let (folder, recorder) = (tempfile::tempdir().unwrap(), PrometheusBuilder::new().build_recorder());
        for (key, text) in [(UPLOAD, "2020-01-01T00:00:00Z"), (LEFT, "half")] {
            let path = folder.path().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1_577_836_800);
            File::options().append(true).open(path).unwrap().set_modified(long_ago).unwrap();
        }
        let store: Arc<dyn Backend> = Arc::new(Measured(Arc::new(Filesystem::existing(folder.path()))));
        let registry = Registry::new(Arc::clone(&store), Arc::new(FromStore(store)));
        let settings = Arc::new(ArcSwap::from_pointee(Settings::from_config(&Config::default())));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runs =
            async |time| drop(tokio::time::timeout(time, run(registry.clone(), settings.clone())).await);
        let there = || [UPLOAD, LEFT].map(|key| folder.path().join(key).exists());
        ::metrics::with_local_recorder(&recorder, || {
            runtime.unwrap().block_on(async {
                runs(FIRST - Duration::from_secs(1)).await;
                assert_eq!(there(), [true, true]);
                runs(FIRST + Duration::from_secs(1)).await;
                assert_eq!(there(), [false, false]);
            });
        });
        let counted = recorder.handle().render();
        assert!(counted.contains("registry_uploads_purged_total 1\n"), "{counted}");
    }
}
