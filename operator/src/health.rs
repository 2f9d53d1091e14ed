//! `/livez`, `/readyz` and `/metrics`: served by standby pods, too.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use http::{Request, Response, StatusCode, Uri};
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
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer(request.uri(), &metrics, &pulse);
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

fn answer(uri: &Uri, metrics: &PrometheusHandle, pulse: &Pulse) -> Response<Full<Bytes>> {
    let ok = || (StatusCode::OK, "ok\n".to_owned());
    let (status, body) = match uri.path() {
        "/livez" => pulse
            .trouble()
            .map_or_else(ok, |trouble| (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n"))),
        // The API server's proxy makes `verbose=` of it.
        "/readyz"
            if pulse.ready() && uri.query().is_some_and(|query| query.trim_end_matches('=') == "verbose") =>
        {
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

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use kube::client::Body;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tower::{Layer, Service, service_fn};

    use super::*;

    async fn ask(path: &str, pulse: &Pulse) -> (u16, String) {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || metrics::counter!("preg_passes_total").increment(3));
        let answer = answer(&path.parse().unwrap(), &recorder.handle(), pulse);
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    // operator 63, operator 68: a standby answers like a leader
    #[tokio::test]
    async fn probes_and_metrics_are_there_from_the_start() {
        let pulse = Pulse::default();
        assert_eq!(ask("/livez", &pulse).await, (200, "ok\n".into()));
        assert_eq!(ask("/readyz", &pulse).await.0, 503);
        assert_eq!(ask("/readyz?verbose", &pulse).await.0, 503);
        assert!(ask("/metrics", &pulse).await.1.contains("preg_passes_total 3"));
        assert_eq!(ask("/", &pulse).await.0, 404);

        pulse.beat(true);
        assert_eq!(ask("/readyz", &pulse).await, (200, "ok\n".into()));
        for (path, status) in
            [("/api/v1/secrets?watch=true", 200), ("/apis/apps/v1/deployments?limit=500", 403)]
        {
            let answers = move |_| async move {
                Ok::<_, Infallible>(Response::builder().status(status).body(Body::empty()).unwrap())
            };
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            pulse.watching().layer(service_fn(answers)).call(request).await.unwrap();
        }
        let expected = "[-]watch deployments.apps failed: 403 Forbidden\n[+]watch secrets ok\nok\n";
        for path in ["/readyz?verbose", "/readyz?verbose="] {
            assert_eq!(ask(path, &pulse).await, (200, expected.into()), "{path}");
        }
    }
}
