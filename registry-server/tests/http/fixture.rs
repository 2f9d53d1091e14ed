//! A registry in this process, and a client for it.

use std::{net::SocketAddr, path::Path};

use registry_config::schema::Config;
use registry_server::{
    app::Server,
    http::patience::Patience,
    oci::{digest::Algorithm, hasher::Hasher},
};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
};

use crate::{
    canaries::{self, Planted},
    client::{Client, RequestBuilder, Watch},
    log_lines,
};

pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub struct Fixture {
    pub address: SocketAddr,
    pub redirect: Option<SocketAddr>,
    pub admin: Option<SocketAddr>,
    pub folder: TempDir,
    pub client: Client,
    pub stop: watch::Sender<bool>,
    pub running: JoinHandle<()>,
    _planted: Planted,
}

impl Fixture {
    /// A registry in a folder, everything allowed.
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// The same with more configuration.
    pub async fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = more.replace("FOLDER", folder.path().to_str().unwrap());
        Self::start(folder, &text, None).await
    }

    /// The same that waits as long as it is told to.
    pub async fn waiting(patience: Patience, more: &str) -> Self {
        Self::start(tempfile::tempdir().unwrap(), more, Some(patience)).await
    }

    async fn start(folder: TempDir, more: &str, patience: Option<Patience>) -> Self {
        let mut config = Config::from_yaml("test", more, []).unwrap();
        config.http.addr = "127.0.0.1:0".into();
        if !more.contains("storage:") {
            config.storage.delete.enabled = true;
        }
        let storage = &config.storage;
        if storage.inmemory.is_none() && storage.filesystem.is_none() && storage.s3.is_none() {
            let rootdirectory = folder.path().join("store");
            config.storage.filesystem = Some(registry_config::schema::Filesystem { rootdirectory });
        }
        log_lines::watch();
        let planted = canaries::plant(&config, folder.path());
        let server = Server::start(&config, &Vec::new()).await.unwrap();
        let server = match patience {
            Some(patience) => server.with_patience(patience),
            None => server,
        };
        let (stop, stopped) = watch::channel(false);
        let (address, admin) = (server.address().unwrap(), server.admin_address());
        let redirect = server.redirect_address();
        let running = tokio::spawn(server.run(stopped));
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().watched();
        Self { address, admin, redirect, folder, client, stop, running, _planted: planted }
    }

    pub fn store(&self) -> std::path::PathBuf {
        self.folder.path().join("store")
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub async fn send(&self, method: &str, path: &str) -> Response {
        self.request(method, path).send().await.unwrap()
    }

    pub async fn status(&self, method: &str, path: &str) -> StatusCode {
        self.send(method, path).await.status()
    }

    /// The audit log so far, where it is `FOLDER/audit`.
    pub fn audit(&self) -> String {
        let lines = std::fs::read_to_string(self.folder.path().join("audit")).unwrap();
        canaries::all_logged(&lines);
        lines
    }

    /// Sends the bytes as they are and gives the status line.
    pub async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        canaries::told(&answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The counter's or gauge's value, over all registries of this process; 0 before the first.
    pub fn metric(&self, name: &str) -> f64 {
        let all = registry_server::metrics::install().render();
        let line = all.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    pub async fn begin(&self, name: &str) -> String {
        let response = self.send("POST", &format!("/v2/{name}/blobs/uploads/")).await;
        assert_eq!(response.status(), 202);
        header(&response, "location")
    }

    pub async fn push_blob(&self, name: &str, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        let response = self.request("POST", &path).body(bytes.to_vec()).send().await.unwrap();
        assert_eq!(response.status(), 201);
        digest
    }

    pub async fn put_manifest(
        &self,
        name: &str,
        reference: &str,
        kind: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Response {
        let path = format!("/v2/{name}/manifests/{reference}");
        let request = self.request("PUT", &path).header("content-type", kind);
        request.body(bytes.into()).send().await.unwrap()
    }

    /// Pushes an image of one layer; gives manifest digest, layer digest and manifest bytes.
    pub async fn push_image(&self, name: &str, tag: &str) -> (String, String, Vec<u8>) {
        let config = self.push_blob(name, b"{}").await;
        let layer = self.push_blob(name, format!("layer of {tag}").as_bytes()).await;
        let bytes = image(&config, &[&layer], "").into_bytes();
        let response = self.put_manifest(name, tag, OCI_MANIFEST, bytes.clone()).await;
        assert_eq!(response.status(), 201);
        (sha256(&bytes), layer, bytes)
    }
}

/// Waits until it is so; gives up after a while.
pub async fn eventually(so: impl AsyncFn() -> bool) {
    let patience = std::time::Duration::from_secs(30);
    let waiting = async {
        while !so().await {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(patience, waiting).await.expect("it never became so");
}

/// An image manifest; `more` are further fields, each with a comma before it.
pub fn image(config: &str, layers: &[&str], more: &str) -> String {
    let one = |digest: &&str| format!(r#"{{"mediaType":"application/x","digest":"{digest}","size":1}}"#);
    let layers: Vec<String> = layers.iter().map(one).collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{},"layers":[{}]{more}}}"#,
        one(&config),
        layers.join(",")
    )
}

pub fn sha256(bytes: &[u8]) -> String {
    Hasher::digest(Algorithm::Sha256, bytes).to_string()
}

pub fn sha512(bytes: &[u8]) -> String {
    Hasher::digest(Algorithm::Sha512, bytes).to_string()
}

pub fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// The answer has this status and code, in the error format, and every error says about what it is.
pub async fn refused(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(response.status(), status, "{code}");
    assert_eq!(header(&response, "content-type"), "application/json");
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["errors"][0]["code"], code);
    for error in body["errors"].as_array().unwrap() {
        assert!(error["message"].is_string() && error["detail"].is_object(), "{error}");
    }
    body
}

/// How many files with the bytes of blobs and uploads below the folder this process has open.
pub fn open_below(folder: &Path) -> usize {
    let data = |target: std::path::PathBuf| target.starts_with(folder) && target.ends_with("data");
    let all = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    all.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(data)).count()
}

pub fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    found
}
