//! `/livez`, `/readyz` and `/metrics`: served by standby pods, too.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::cluster::pulse::Pulse;

/// Serves until the process ends.
pub async fn serve(address: SocketAddr, metrics: PrometheusHandle, pulse: Arc<Pulse>) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        let (metrics, pulse) = (metrics.clone(), Arc::clone(&pulse));
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = answer(&request, &metrics, &pulse);
                async move { Ok::<_, Infallible>(answer) }
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(connection), service);
            if let Err(error) = served.await {
                tracing::debug!(%error, "a probe's connection broke");
            }
        });
    }
}

/// One line for each watch, as the API server itself writes such lists.
fn watches(pulse: &Pulse) -> String {
    let line = |(what, trouble): (String, Option<String>)| match trouble {
        None => format!("[+]watch {what} ok\n"),
        Some(trouble) => format!("[-]watch {what} failed: {trouble}\n"),
    };
    let lines: String = pulse.watches().all().into_iter().map(line).collect();
    format!("{lines}ok\n")
}

fn answer(request: &Request<Incoming>, metrics: &PrometheusHandle, pulse: &Pulse) -> Response<Full<Bytes>> {
    let ok = || (StatusCode::OK, "ok\n".to_owned());
    let (status, body) = match request.uri().path() {
        "/livez" => pulse
            .trouble()
            .map_or_else(ok, |trouble| (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n"))),
        "/readyz" if pulse.ready() && request.uri().query() == Some("verbose") => {
            (StatusCode::OK, watches(pulse))
        }
        "/readyz" if pulse.ready() => ok(),
        "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, "the API server has not answered yet\n".to_owned()),
        "/metrics" => (StatusCode::OK, metrics.render()),
        _ => (StatusCode::NOT_FOUND, "here are /livez, /readyz and /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
}
