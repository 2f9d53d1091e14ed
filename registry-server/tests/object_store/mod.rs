//! An S3 server in this process, on loopback.

mod short_keys;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hyper::{HeaderMap, Method, Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::{
    Body, HttpError,
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Mutex,
};
use tokio_rustls::TlsAcceptor;

use self::short_keys::{ShortKeys, shortened};

pub const ACCESS: &str = "access-canary";
pub const SECRET: &str = "secret-canary";
pub const BUCKET: &str = "bucket";

/// A server that lives as long as the test's runtime.
pub struct ObjectStore {
    pub address: SocketAddr,
    folder: TempDir,
    server: Arc<Server>,
}

struct Server {
    folder: PathBuf,
    service: S3Service,
    /// Requests that are still told to slow down.
    refusals: AtomicUsize,
    requests: AtomicUsize,
    /// What new objects were to be like.
    created: std::sync::Mutex<Vec<(String, HeaderMap)>>,
    /// The service looks and writes in two steps, where a real store creates in one.
    creating: Mutex<()>,
}

impl Server {
    /// Keeps what makes an object, or begins to.
    fn note<B>(&self, request: &Request<B>) {
        let query = request.uri().query().unwrap_or_default();
        let whole = request.method() == Method::PUT && !query.contains("uploadId=");
        if whole || request.method() == Method::POST && query.contains("uploads") {
            let what = format!("{} {}", request.method(), request.uri());
            self.created.lock().unwrap().push((what, request.headers().clone()));
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, HttpError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.note(&request);
        let less = |left: usize| left.checked_sub(1);
        if self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            let mut busy = Response::new(Body::from("<Error><Code>SlowDown</Code></Error>".to_owned()));
            *busy.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return Ok(busy);
        }
        // It would make one.
        if !self.folder.join(BUCKET).exists() {
            let head = request.method() == Method::HEAD;
            let code = if head { "" } else { "<Error><Code>NoSuchBucket</Code></Error>" };
            let mut missing = Response::new(Body::from(code.to_owned()));
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return Ok(missing);
        }
        // It fails on what is a folder to it, and no object.
        let object = self.folder.join(shortened(request.uri().path().trim_start_matches('/')));
        if request.method() == Method::HEAD && object.is_dir() {
            let mut missing = Response::new(Body::empty());
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return Ok(missing);
        }
        let creates = request.headers().contains_key("if-none-match");
        let _alone = if creates { Some(self.creating.lock().await) } else { None };
        self.service.call(request.map(Body::from)).await
    }
}

async fn serve(listener: TcpListener, server: Arc<Server>, tls: Option<TlsAcceptor>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let (server, tls) = (Arc::clone(&server), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => connection(socket, server).await,
                Some(tls) => {
                    if let Ok(socket) = tls.accept(socket).await {
                        connection(socket, server).await;
                    }
                }
            }
        });
    }
}

async fn connection(socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, server: Arc<Server>) {
    let answer = service_fn(move |request| Arc::clone(&server).answer(request));
    let connection = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    let _ = connection.serve_connection(TokioIo::new(socket), answer).await;
}

impl ObjectStore {
    pub async fn start() -> Self {
        Self::with(None).await
    }

    /// Over TLS, if there is an acceptor.
    pub async fn with(tls: Option<TlsAcceptor>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut builder =
            S3ServiceBuilder::new(ShortKeys::new(s3s_fs::FileSystem::new(folder.path()).unwrap()));
        builder.set_auth(SimpleAuth::from_single(ACCESS, SECRET));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (refusals, creating) = (AtomicUsize::new(0), Mutex::default());
        let server = Arc::new(Server {
            folder: folder.path().to_owned(),
            service: builder.build(),
            refusals,
            requests: AtomicUsize::new(0),
            created: std::sync::Mutex::default(),
            creating,
        });
        tokio::spawn(serve(listener, Arc::clone(&server), tls));
        Self { address, folder, server }
    }

    /// The next requests are told to slow down.
    pub fn refuse(&self, requests: usize) {
        self.server.refusals.store(requests, Ordering::SeqCst);
    }

    /// How many requests have come.
    pub fn requests(&self) -> usize {
        self.server.requests.load(Ordering::SeqCst)
    }

    /// The requests that made an object or began to, and their header fields.
    pub fn created(&self) -> Vec<(String, HeaderMap)> {
        self.server.created.lock().unwrap().clone()
    }

    /// How many whole objects were copied.
    pub fn copies(&self) -> usize {
        let copies = |headers: &HeaderMap| headers.contains_key("x-amz-copy-source");
        self.created().iter().filter(|(_, headers)| copies(headers)).count()
    }

    /// Where the bucket's objects are.
    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// Multipart uploads that nobody has ended.
    pub fn unfinished(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".upload")).collect()
    }
}
