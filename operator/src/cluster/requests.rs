//! How much is asked of the API server.

use http::Request;
use kube::client::Body;

/// Counts a request of a pass by its verb; Events are counted apart. What the controller lists and watches is not among
/// them: see `watches`.
pub fn counted(request: Request<Body>) -> Request<Body> {
    if request.uri().path().starts_with("/apis/events.k8s.io/") {
        metrics::counter!("preg_events_total").increment(1);
    } else {
        let verb = request.method().as_str().to_ascii_lowercase();
        metrics::counter!("preg_requests_total", "verb" => verb).increment(1);
    }
    request
}
