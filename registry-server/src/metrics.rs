//! Every counter by name.

use std::{cell::Cell, sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

const UPKEEP: Duration = Duration::from_secs(5);

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Sets the process's recorder up, once.
pub fn install() -> &'static PrometheusHandle {
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&[0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0])
            .unwrap_or_else(|_| PrometheusBuilder::new())
            .build_recorder();
        let handle = recorder.handle();
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}

/// Puts what was measured together now and then: nobody may ever ask for it. Never ends.
pub async fn upkeep() {
    loop {
        tokio::time::sleep(UPKEEP).await;
        install().run_upkeep();
    }
}

/// A request was answered.
pub fn request(route: &'static str, method: &str, status: u16, took: Duration) {
    let method = match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => method.to_owned(),
        _ => "other".to_owned(),
    };
    let labels = [("route", route.to_owned()), ("method", method), ("status", status.to_string())];
    metrics::counter!("registry_http_requests_total", &labels).increment(1);
    metrics::histogram!("registry_http_request_duration_seconds", "route" => route)
        .record(took.as_secs_f64());
}

/// A line of the audit log was lost.
pub fn audit_failed() {
    metrics::counter!("registry_audit_errors_total").increment(1);
}

/// A password was compared with a hash.
pub fn password_hashed() {
    metrics::counter!("registry_password_hashes_total").increment(1);
}

/// A file that is followed could not be taken over.
pub fn reload_failed(what: &'static str) {
    metrics::counter!("registry_reload_errors_total", "file" => what).increment(1);
}

tokio::task_local! {
    /// Whether a request has found everything so far that it asked of the cache; nothing before it asks.
    static FOUND: Cell<Option<bool>>;
}

/// Does the work of a request, and says whether a cache knew everything that it was asked, if it was.
pub async fn watching_cache<F: Future>(work: F) -> (F::Output, Option<bool>) {
    FOUND.scope(Cell::new(None), async move { (work.await, FOUND.with(Cell::get)) }).await
}

/// Bytes of a request's and of a response's body.
pub fn bytes(received: u64, sent: u64) {
    metrics::counter!("registry_http_received_bytes_total").increment(received);
    metrics::counter!("registry_http_sent_bytes_total").increment(sent);
}

/// A value was asked of the cache.
pub fn cache(hit: bool) {
    let _ = FOUND.try_with(|found| found.set(Some(hit && found.get().unwrap_or(true))));
    let result = if hit { "hit" } else { "miss" };
    metrics::counter!("registry_cache_lookups_total", "result" => result).increment(1);
}

/// A certificate is served: when it expires, and for how many reasons clients refuse it.
pub fn certificate(expires: i64, weaknesses: usize) {
    metrics::gauge!("registry_tls_certificate_expiry_timestamp_seconds").set(expires as f64);
    metrics::gauge!("registry_tls_certificate_weaknesses").set(weaknesses as f64);
}

/// The store was asked for something.
pub fn store_called(call: &'static str) {
    metrics::counter!("registry_store_calls_total", "call" => call).increment(1);
}

/// The store could not do it.
pub fn store_failed(call: &'static str, reason: &'static str) {
    metrics::counter!("registry_store_errors_total", "call" => call, "reason" => reason).increment(1);
}

/// What a look at the store has shown: one of the kinds of trouble, or none.
pub fn store_trouble(now: Option<&'static str>) {
    for kind in ["wrong", "gone", "silent"] {
        let is_so = if now == Some(kind) { 1.0 } else { 0.0 };
        metrics::gauge!("registry_store_trouble", "kind" => kind).set(is_so);
    }
}

/// How much fits into the store, and how much is in it.
pub fn store_space(capacity: u64, used: u64) {
    metrics::gauge!("registry_store_capacity_bytes").set(capacity as f64);
    metrics::gauge!("registry_store_used_bytes").set(used as f64);
}

/// An upload began, or ended as a client asked.
pub fn upload(event: &'static str) {
    metrics::counter!("registry_uploads_total", "event" => event).increment(1);
}

/// Abandoned uploads were removed.
pub fn uploads_purged(uploads: u64) {
    metrics::counter!("registry_uploads_purged_total").increment(uploads);
}

/// Redis was full and took a value not.
pub fn redis_refused() {
    metrics::counter!("redis_writes_refused_total").increment(1);
}

/// Whether Redis answers.
pub fn redis_up(up: bool) {
    metrics::gauge!("redis_up").set(if up { 1.0 } else { 0.0 });
}
