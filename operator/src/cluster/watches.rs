//! What became of each watch: one that is refused leaves the others alone, so somebody has to say which it is.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Instant,
};

use futures::future::BoxFuture;
use http::{Request, Response, Uri};
use kube::client::Body;
use tower::{Layer, Service};

/// Watches of a leader, by what they watch: `deployments.apps`, or `deployments.apps in tools`.
#[derive(Debug, Default)]
pub struct Watches(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When a watch was opened last; none: the process does not lead.
    opened: Option<Instant>,
    /// What is wrong with each.
    all: BTreeMap<String, Option<String>>,
}

impl Watches {
    /// The process leads: from now on there have to be watches.
    pub fn begin(&self) {
        self.change(|state| state.opened = Some(Instant::now()));
    }

    /// When a watch was opened last; none while the process does not lead.
    pub fn opened(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).opened
    }

    /// What is wrong with each watch.
    pub fn all(&self) -> BTreeMap<String, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all.clone()
    }

    fn record(&self, what: String, watch: bool, trouble: Option<String>) {
        metrics::gauge!("preg_watch_up", "resource" => what.clone()).set(f64::from(trouble.is_none()));
        self.change(|state| {
            if watch && trouble.is_none() {
                state.opened = Some(Instant::now());
            }
            state.all.insert(what, trouble);
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// For a client that watches, and does nothing else: each of its requests, a list or a watch, is recorded.
#[derive(Clone, Debug)]
pub struct Recorded(pub Arc<Watches>);

impl<S> Layer<S> for Recorded {
    type Service = Recording<S>;

    fn layer(&self, inner: S) -> Recording<S> {
        Recording { watches: Arc::clone(&self.0), inner }
    }
}

/// Sends requests and records what became of them.
#[derive(Clone, Debug)]
pub struct Recording<S> {
    watches: Arc<Watches>,
    inner: S,
}

impl<S, B> Service<Request<Body>> for Recording<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: std::fmt::Display,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<B>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (what, watch) = (resource(request.uri().path()), is_watch(request.uri()));
        let (watches, answer) = (Arc::clone(&self.watches), self.inner.call(request));
        Box::pin(async move {
            let answer = answer.await;
            let trouble = match &answer {
                Ok(response) if response.status().is_success() => None,
                Ok(response) => Some(response.status().to_string()),
                Err(error) => Some(error.to_string()),
            };
            watches.record(what, watch, trouble);
            answer
        })
    }
}

fn is_watch(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair.strip_prefix("watch=").is_some_and(|on| on != "false"))
}

/// `deployments.apps in tools` of `/apis/apps/v1/namespaces/tools/deployments`, `secrets` of `/api/v1/secrets`.
fn resource(path: &str) -> String {
    let mut parts = path.trim_matches('/').split('/');
    let group = if parts.next() == Some("apis") { parts.next() } else { None };
    let rest: Vec<&str> = parts.skip(1).collect();
    let (namespace, resource) = match rest[..] {
        ["namespaces", namespace, resource] => (Some(namespace), resource),
        [resource] => (None, resource),
        _ => (None, path),
    };
    let group = group.map(|group| format!(".{group}")).unwrap_or_default();
    let namespace = namespace.map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    format!("{resource}{group}{namespace}")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use metrics_exporter_prometheus::PrometheusBuilder;
    use tower::service_fn;

    use super::*;

    async fn ask(watches: &Arc<Watches>, uri: &str, status: u16) {
        let answer = move |_| async move {
            Ok::<_, Infallible>(Response::builder().status(status).body(Body::empty()).unwrap())
        };
        let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        Recorded(Arc::clone(watches)).layer(service_fn(answer)).call(request).await.unwrap();
    }

    // operator 63
    #[tokio::test]
    async fn each_watch_has_its_own_state() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let _recording = metrics::set_default_local_recorder(&recorder);
        let says = |line: &str| recorder.handle().render().lines().any(|said| said == line);
        let watches = Arc::new(Watches::default());
        ask(&watches, "/api/v1/secrets?limit=500", 403).await;
        ask(&watches, "/apis/apps/v1/namespaces/tools/deployments?limit=500", 200).await;
        let all = watches.all();
        assert_eq!(all["secrets"].as_deref(), Some("403 Forbidden"));
        assert!(says(r#"preg_watch_up{resource="secrets"} 0"#), "{}", recorder.handle().render());
        assert!(says(r#"preg_watch_up{resource="deployments.apps in tools"} 1"#));
        assert_eq!(all["deployments.apps in tools"], None);
        assert_eq!(watches.opened(), None, "a list is no watch");
        ask(&watches, "/api/v1/secrets?&watch=true&timeoutSeconds=290", 404).await;
        assert_eq!(watches.opened(), None, "it was refused");
        ask(&watches, "/api/v1/secrets?&watch=true&timeoutSeconds=290", 200).await;
        assert!(watches.opened().is_some());
        assert_eq!(watches.all()["secrets"], None);
        assert!(says(r#"preg_watch_up{resource="secrets"} 1"#), "{}", recorder.handle().render());
    }
}
