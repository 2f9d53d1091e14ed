//! The admin listener: probes and metrics. Never on the public port.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::{Request, StatusCode, header};
use hyper::body::Incoming;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    http::headers::{self, Response},
    registry::service::Registry,
};

/// What the admin listener answers from.
pub struct Admin {
    /// Asked for its health.
    pub registry: Registry,
    /// Set when the server is about to end.
    pub ending: Arc<AtomicBool>,
    /// Every counter.
    pub metrics: &'static PrometheusHandle,
}

impl Admin {
    /// Answers a request.
    pub async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Response, Infallible> {
        Ok(match request.uri().path() {
            "/livez" => text(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => self.ready().await,
            "/metrics" => text(StatusCode::OK, self.metrics.render()),
            _ => text(StatusCode::NOT_FOUND, "/livez /readyz /metrics\n".to_owned()),
        })
    }

    async fn ready(&self) -> Response {
        let store = self.registry.ready(Duration::ZERO).await;
        let unready = |why: String| text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n"));
        match store {
            _ if self.ending.load(Ordering::Relaxed) => unready("ending".to_owned()),
            Ok(()) => text(StatusCode::OK, "ok\n".to_owned()),
            Err(why) => unready(why.to_string()),
        }
    }
}

fn text(status: StatusCode, text: String) -> Response {
    headers::with_body(
        status,
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned())],
        Body::from(text),
    )
}
