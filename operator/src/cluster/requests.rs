//! How much is asked of the API server.

use http::Request;
use kube::client::Body;

/// Counts a request of a pass by its verb and what it is about; Events are counted apart. What the controller lists and
/// watches is not among them: see `watches`.
pub fn counted(request: Request<Body>) -> Request<Body> {
    let path = request.uri().path();
    if path.starts_with("/apis/events.k8s.io/") {
        metrics::counter!("preg_events_total").increment(1);
    } else {
        let verb = request.method().as_str().to_ascii_lowercase();
        let resource = resource(path).to_owned();
        metrics::counter!("preg_requests_total", "verb" => verb, "resource" => resource).increment(1);
    }
    request
}

/// The resource of a request, such as `secrets`; `other`, where it is about none.
///
/// Source: Kubernetes, "API Concepts", resource URIs.
fn resource(path: &str) -> &str {
    let mut words = path.trim_start_matches('/').split('/');
    let rest = match words.next() {
        Some("api") => words.nth(1),
        Some("apis") => words.nth(2),
        _ => None,
    };
    let found = if rest == Some("namespaces") { words.nth(1).or(rest) } else { rest };
    found.unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn requests_are_counted_by_verb_and_resource_and_events_apart() {
        let recorder = PrometheusBuilder::new().build_recorder();
        for (method, path) in [
            ("GET", "/api/v1/namespaces/tools/secrets/team-tls"),
            ("GET", "/api/v1/namespaces/tools/secrets"),
            ("PATCH", "/apis/apps/v1/namespaces/tools/deployments/team-registry"),
            ("POST", "/apis/events.k8s.io/v1/namespaces/tools/events"),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            metrics::with_local_recorder(&recorder, || counted(request));
        }
        let said = recorder.handle().render();
        let mut counts: Vec<&str> = said.lines().filter(|line| line.starts_with("preg_")).collect();
        counts.sort_unstable();
        assert_eq!(
            counts,
            [
                "preg_events_total 1",
                r#"preg_requests_total{verb="get",resource="secrets"} 2"#,
                r#"preg_requests_total{verb="patch",resource="deployments"} 1"#,
            ]
        );
    }

    #[test]
    fn a_request_is_about_a_resource() {
        for (path, expected) in [
            ("/api/v1/namespaces/tools/secrets/team-tls", "secrets"),
            ("/api/v1/namespaces/tools/secrets", "secrets"),
            ("/apis/apps/v1/namespaces/tools/deployments/team-registry", "deployments"),
            (
                "/apis/privateregistry.dev/v1alpha1/namespaces/tools/privateregistries/team/status",
                "privateregistries",
            ),
            ("/apis/storage.k8s.io/v1/storageclasses", "storageclasses"),
            ("/api/v1/namespaces/tools", "namespaces"),
            ("/openid/v1/jwks", "other"),
            ("/", "other"),
        ] {
            assert_eq!(resource(path), expected, "{path}");
        }
    }
}
