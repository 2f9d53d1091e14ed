//! Sections 10 and 15: a store that fails, and what clients see of it.

use std::{
    future::ready,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use registry_server::{
    http::{door::Door, listener},
    registry::{metadata::FromStore, service::Registry},
    settings::Settings,
    storage::{
        backend::{Answer, Backend, ByteStream},
        error::StorageError,
    },
};
use reqwest::Response;
use tokio::sync::watch;

use crate::{
    fixture::{header, refused, sha256},
    hooked::{Call, Hook, Hooked},
};

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Reading panics.
    Panic,
    /// Writing finds no space.
    NoSpace,
    /// Content ends in the middle.
    Cut,
}

#[derive(Default)]
struct Faulty {
    fault: Mutex<Option<Fault>>,
}

impl Hook for Faulty {
    fn before<'a>(&'a self, call: Call, key: &'a str) -> Answer<'a, ()> {
        let fault = *self.fault.lock().unwrap();
        assert!(!(call == Call::Stat && fault == Some(Fault::Panic)), "told to panic");
        let writes = matches!(call, Call::Put | Call::Append | Call::Commit);
        let full = writes && fault == Some(Fault::NoSpace);
        let error = full.then(|| StorageError::NoSpace { key: key.to_owned() });
        ready(error.map_or(Ok(()), Err)).boxed()
    }

    fn content(&self, stream: ByteStream) -> ByteStream {
        match *self.fault.lock().unwrap() {
            Some(Fault::Cut) => {
                let half = stream.map_ok(|bytes| bytes.slice(..bytes.len() / 2));
                half.chain(stream::iter([Err(StorageError::unavailable("it", "cut"))])).boxed()
            }
            _ => stream,
        }
    }
}

/// A registry on a store that fails when it is told to.
struct Shaky {
    store: Arc<Hooked<Faulty>>,
    address: SocketAddr,
    client: reqwest::Client,
    _stop: watch::Sender<bool>,
}

impl Shaky {
    async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let store = Arc::new(Hooked::<Faulty>::default());
        let backend: Arc<dyn Backend> = Arc::clone(&store) as _;
        let registry = Registry::new(Arc::clone(&backend), Arc::new(FromStore(backend)));
        let settings = Settings::from_config(&registry_config::schema::Config::default());
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let door = Arc::new(Door { registry, accounts: None, settings });
        let socket = listener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let service = move |request, peer| Arc::clone(&door).handle(request, peer);
        tokio::spawn(listener::serve(socket, None, service, stopped, Duration::ZERO));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { store, address, client, _stop: stop }
    }

    fn fail(&self, fault: Option<Fault>) {
        *self.store.hook.fault.lock().unwrap() = fault;
    }

    async fn send(&self, method: &str, path: &str, body: impl Into<Vec<u8>>) -> Response {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        let request = request.header("content-type", "application/vnd.oci.image.index.v1+json");
        request.body(body.into()).send().await.unwrap()
    }

    async fn push(&self, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        let path = format!("/v2/n/blobs/uploads/?digest={digest}");
        assert_eq!(self.send("POST", &path, bytes).await.status(), 201);
        format!("/v2/n/blobs/{digest}")
    }
}

// registry ST2 J9
#[tokio::test]
async fn a_full_store_refuses_writes_and_keeps_sessions() {
    let registry = Shaky::start().await;
    let blob = registry.push(b"there").await;
    let begun = registry.send("POST", "/v2/n/blobs/uploads/", "").await;
    let location = header(&begun, "location");
    assert_eq!(registry.send("PATCH", &location, "abc").await.status(), 202);
    registry.fail(Some(Fault::NoSpace));
    let digest = sha256(b"abcdef");
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    for (method, path, body) in [
        ("PATCH", location.as_str(), "def"),
        ("PUT", &format!("{location}?digest={digest}"), "def"),
        ("PUT", "/v2/n/manifests/t", index),
    ] {
        refused(registry.send(method, path, body).await, 507, "UNAVAILABLE").await;
    }
    assert_eq!(registry.send("GET", &blob, "").await.text().await.unwrap(), "there");
    assert_eq!(header(&registry.send("GET", &location, "").await, "range"), "0-2");
    registry.fail(None);
    assert_eq!(registry.send("PUT", &format!("{location}?digest={digest}"), "def").await.status(), 201);
}

// registry ST9
#[tokio::test]
async fn content_that_ends_early_never_looks_whole() {
    let registry = Shaky::start().await;
    let bytes = vec![7; 3 << 20];
    let blob = registry.push(&bytes).await;
    registry.fail(Some(Fault::Cut));
    let response = registry.send("GET", &blob, "").await;
    assert_eq!(header(&response, "content-length"), bytes.len().to_string());
    assert!(response.bytes().await.is_err());
    registry.fail(None);
    assert_eq!(registry.send("GET", &blob, "").await.bytes().await.unwrap().len(), bytes.len());
}

// registry LM6
#[tokio::test]
async fn a_panic_ends_one_request_only() {
    let registry = Shaky::start().await;
    let blob = registry.push(b"there").await;
    registry.fail(Some(Fault::Panic));
    let response = registry.send("GET", &blob, "").await;
    let id = header(&response, "x-request-id");
    let body = refused(response, 500, "UNKNOWN").await;
    assert_eq!(body["errors"][0]["detail"]["requestId"], id);
    assert!(!body.to_string().contains("told"));
    registry.fail(None);
    assert_eq!(registry.send("GET", &blob, "").await.text().await.unwrap(), "there");
}
