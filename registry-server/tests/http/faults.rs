//! Sections 10 and 15: a store that fails, and what clients see of it.

use std::{
    future::ready,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use registry_server::{
    http::{accepting::Accepting, door::Door, listener, patience::Patience},
    registry::{metadata::FromStore, service::Registry},
    settings::Settings,
    storage::{
        backend::{Answer, Backend, ByteStream},
        error::StorageError,
    },
};
use reqwest::Response;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    canaries::{self, Kept, Planted},
    client::{Client, Watch},
    connections::Connection,
    fixture::{OCI_INDEX, OCI_MANIFEST, header, refused, sha256},
    hooked::{Call, Hook, Hooked},
    log_lines,
};

/// Where the store is said to be, and why it fails: nothing for clients.
pub const PLACE: &str = "/canary/of/a/store";
pub const REASON: &str = "canary-of-a-reason";

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Reading panics.
    Panic,
    /// Nothing is answered.
    Away,
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
        assert!(!(call == Call::Stat && fault == Some(Fault::Panic)), "{PLACE}/{key}: {REASON}");
        let place = format!("{PLACE}/{key}");
        if fault == Some(Fault::Away) {
            return ready(Err(StorageError::unavailable(&place, REASON))).boxed();
        }
        let writes = matches!(call, Call::Put | Call::Append | Call::Commit);
        let full = writes && fault == Some(Fault::NoSpace);
        let error = full.then(|| StorageError::NoSpace { key: place });
        ready(error.map_or(Ok(()), Err)).boxed()
    }

    fn content(&self, stream: ByteStream) -> ByteStream {
        match *self.fault.lock().unwrap() {
            Some(Fault::Cut) => {
                let half = stream.map_ok(|bytes| bytes.slice(..bytes.len() / 2));
                half.chain(stream::iter([Err(StorageError::unavailable(PLACE, REASON))])).boxed()
            }
            _ => stream,
        }
    }
}

/// Every object below the folder with its bytes.
pub async fn below(store: &dyn Backend, folder: &str) -> Vec<(String, Bytes)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for name in store.list(&folder).await.unwrap() {
            let key = format!("{folder}/{name}");
            match store.stat(&key).await.unwrap() {
                Some(_) => found.push((key.clone(), store.read(&key).await.unwrap().unwrap())),
                None => folders.push(key),
            }
        }
    }
    found.sort();
    found
}

/// A registry on a store that does what it is told to.
pub struct Shaky<H> {
    pub store: Arc<Hooked<H>>,
    pub registry: Registry,
    address: SocketAddr,
    client: Client,
    _stop: watch::Sender<bool>,
    _planted: Planted,
}

impl Shaky<Faulty> {
    async fn start() -> Self {
        Self::over(|registry| registry).await
    }

    fn fail(&self, fault: Option<Fault>) {
        *self.store.hook.fault.lock().unwrap() = fault;
    }
}

impl<H: Hook + Default> Shaky<H> {
    /// With a registry that is made what it is to be.
    pub async fn over(make: impl FnOnce(Registry) -> Registry) -> Self {
        Self::on(Arc::default(), make).await
    }
}

impl<H: Hook> Shaky<H> {
    /// On a store that may hold something.
    pub async fn on(store: Arc<Hooked<H>>, make: impl FnOnce(Registry) -> Registry) -> Self {
        log_lines::watch();
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let backend: Arc<dyn Backend> = Arc::clone(&store) as _;
        let registry = make(Registry::new(Arc::clone(&backend), Arc::new(FromStore(backend))));
        let mut config = registry_config::schema::Config::default();
        config.storage.delete.enabled = true;
        let mut planted = canaries::plant(&config, Path::new(PLACE));
        planted.keep(REASON, Kept::FromClients);
        let settings = Arc::new(ArcSwap::from_pointee(Settings::from_config(&config)));
        let door = Arc::new(Door { registry: registry.clone(), logins: None, settings, audit: None });
        let socket = listener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let service = move |request, peer| Arc::clone(&door).handle(request, peer);
        let socket = Accepting::new(socket, 1_000);
        tokio::spawn(listener::serve(socket, None, service, stopped, Patience::draining(Duration::ZERO)));
        let client = reqwest::Client::builder().no_proxy().watched();
        Self { store, registry, address, client, _stop: stop, _planted: planted }
    }

    /// Every object of the store with its bytes.
    pub async fn everything(&self) -> Vec<(String, Bytes)> {
        below(&*self.store.store, "docker").await
    }

    pub async fn send(&self, method: &str, path: &str, body: impl Into<Vec<u8>>) -> Response {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        let body = body.into();
        let image = String::from_utf8_lossy(&body).contains("layers");
        let request = request.header("content-type", if image { OCI_MANIFEST } else { OCI_INDEX });
        request.body(body).send().await.unwrap()
    }

    pub async fn push(&self, bytes: &[u8]) -> String {
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
    let begin = async || header(&registry.send("POST", "/v2/n/blobs/uploads/", "").await, "location");
    let (location, other, wrong) = (begin().await, begin().await, begin().await);
    for location in [&location, &other, &wrong] {
        assert_eq!(registry.send("PATCH", location, "abc").await.status(), 202);
    }
    let (one, two) = (r#"{"schemaVersion":2,"manifests":[]}"#, r#"{"schemaVersion":2,"manifests":[] }"#);
    for (tag, index) in [("kept", one), ("t", two), ("u", two)] {
        assert_eq!(registry.send("PUT", &format!("/v2/n/manifests/{tag}"), index).await.status(), 201);
    }
    registry.fail(Some(Fault::NoSpace));
    let digest = sha256(b"abcdef");
    for (method, path, body) in [
        ("POST", "/v2/n/blobs/uploads/", ""),
        ("PATCH", location.as_str(), "def"),
        ("PUT", &format!("{location}?digest={digest}"), "def"),
        ("PUT", "/v2/n/manifests/t", one),
    ] {
        let answer = registry.send(method, path, body).await;
        let id = header(&answer, "x-request-id");
        let error = refused(answer, 507, "UNAVAILABLE").await;
        let error = &error["errors"][0];
        assert_eq!(
            (&error["message"], &error["detail"]),
            (&json!("no space left"), &json!({ "requestId": id }))
        );
        assert!(!id.is_empty());
        let missing = registry.send("HEAD", &format!("/v2/n/blobs/{digest}"), "").await;
        assert_eq!(missing.status(), 404, "{method} {path}");
        assert_eq!(header(&registry.send("GET", &location, "").await, "range"), "0-2");
    }
    assert_eq!(registry.send("GET", &blob, "").await.text().await.unwrap(), "there");
    assert_eq!(registry.send("GET", "/v2/n/manifests/kept", "").await.text().await.unwrap(), one);
    let manifest = format!("/v2/n/manifests/{}", sha256(two.as_bytes()));
    for (path, status) in [("/v2/n/manifests/t", 202), (&manifest, 202), (&blob, 202), (&other, 204)] {
        assert_eq!(registry.send("DELETE", path, "").await.status(), status, "{path}");
        assert_eq!(registry.send("GET", path, "").await.status(), 404, "{path}");
    }
    // What is of no use is dropped there, too.
    let put = registry.send("PUT", &format!("{wrong}?digest={digest}"), "").await;
    refused(put, 400, "DIGEST_INVALID").await;
    assert_eq!(registry.send("GET", &wrong, "").await.status(), 404);
    registry.fail(None);
    assert_eq!(registry.send("PUT", &format!("{location}?digest={digest}"), "def").await.status(), 201);
}

// registry ST2 GC8
#[tokio::test]
async fn abandoned_uploads_give_a_full_store_its_space_back() {
    let registry = Shaky::start().await;
    for _ in 0..3 {
        let begun = registry.send("POST", "/v2/n/blobs/uploads/", "").await;
        assert_eq!(registry.send("PATCH", &header(&begun, "location"), "abc").await.status(), 202);
    }
    // Of the first only a part is left, and there is no room to write down when that was seen.
    let uploads = "docker/registry/v2/repositories/n/_uploads";
    let first = registry.store.store.list(uploads).await.unwrap().remove(0);
    registry.store.store.delete(&format!("{uploads}/{first}/startedat")).await.unwrap();
    registry.fail(Some(Fault::NoSpace));
    let purged = registry.registry.purge_uploads(jiff::Timestamp::now(), Duration::ZERO, false).await;
    assert_eq!(purged.unwrap(), 2);
    assert_eq!(registry.store.store.list(uploads).await.unwrap(), [first]);
}

// registry J1 J5
#[tokio::test]
async fn a_failure_of_the_store_leaves_the_connection_in_order() {
    let registry = Shaky::start().await;
    let blob = format!("GET {}", registry.push(b"there").await);
    let begun = registry.send("POST", "/v2/n/blobs/uploads/", "").await;
    let patch = format!("PATCH {}", header(&begun, "location"));
    let index = format!("{:<2000}", r#"{"schemaVersion":2,"manifests":[]}"#);
    let mut connection = Connection::open(registry.address).await;
    for (fault, head, status, code) in [
        (Fault::Panic, &blob, 500, "UNKNOWN"),
        (Fault::Panic, &patch, 500, "UNKNOWN"),
        (Fault::Away, &blob, 503, "UNAVAILABLE"),
        (Fault::Away, &patch, 503, "UNAVAILABLE"),
        (Fault::NoSpace, &patch, 507, "UNAVAILABLE"),
        (Fault::NoSpace, &"PUT /v2/n/manifests/t".to_owned(), 507, "UNAVAILABLE"),
    ] {
        registry.fail(Some(fault));
        connection.refused(head, &index, status, code).await;
    }
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
    let mut other = Connection::open(registry.address).await;
    assert!(other.ask_here("GET /v2/").await.0.starts_with("http/1.1 200 "));
    registry.fail(Some(Fault::Panic));
    let response = registry.send("GET", &blob, "").await;
    let id = header(&response, "x-request-id");
    let body = refused(response, 500, "UNKNOWN").await;
    assert_eq!(body["errors"][0]["detail"]["requestId"], id);
    // The one who was here before is served, on the connection that it had.
    let (head, body) = other.ask_here("GET /v2/").await;
    assert!(head.starts_with("http/1.1 200 ") && body == "{}", "{head}{body}");
    registry.fail(None);
    let (head, body) = other.ask_here(&format!("GET {blob}")).await;
    assert!(head.starts_with("http/1.1 200 ") && body == "there", "{head}{body}");
    assert_eq!(registry.send("GET", &blob, "").await.text().await.unwrap(), "there");
}
