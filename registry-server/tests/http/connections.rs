//! Sections 0, 13 and 15: connections.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    access::with_accounts,
    canaries,
    client::Watch,
    fixture::{Fixture, OCI_INDEX, OCI_MANIFEST, header, image, refused, sha256},
};

/// A connection on which one request follows the other.
pub struct Connection {
    address: SocketAddr,
    socket: TcpStream,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        Self { address, socket: TcpStream::connect(address).await.unwrap() }
    }

    /// The answer to the request: its head in lower case, and its body.
    pub async fn ask(&mut self, head: &str, body: &str, chunked: bool) -> (String, String) {
        let (framing, body) = match chunked {
            false => (format!("content-length: {}", body.len()), body.to_owned()),
            true => {
                let chunk =
                    if body.is_empty() { String::new() } else { format!("{:x}\r\n{body}\r\n", body.len()) };
                ("transfer-encoding: chunked".to_owned(), format!("{chunk}0\r\n\r\n"))
            }
        };
        let (line, more) = head.split_once('\n').unwrap_or((head, ""));
        let more: String = more.lines().map(|header| format!("{header}\r\n")).collect();
        let request = format!("{line} HTTP/1.1\r\nhost: x\r\n{more}{framing}\r\n\r\n{body}");
        self.socket.write_all(request.as_bytes()).await.unwrap();
        let (head, body) = answer(&mut self.socket).await;
        if head.contains("connection: close") {
            self.socket = TcpStream::connect(self.address).await.unwrap();
        }
        (head, body)
    }

    /// The same of a request without a body, on a connection that is never opened again.
    pub async fn ask_here(&mut self, head: &str) -> (String, String) {
        self.socket.write_all(format!("{head} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        answer(&mut self.socket).await
    }

    /// The request is refused in the error format, with a length and in chunks; and the next one is answered.
    pub async fn refused(&mut self, head: &str, body: &str, status: u16, code: &str) {
        for chunked in [false, true] {
            let (got, error) = self.ask(head, body, chunked).await;
            let head = &head[..head.len().min(100)];
            assert!(got.starts_with(&format!("http/1.1 {status} ")), "{head} {chunked}: {got}{error}");
            assert!(got.contains("content-type: application/json\r\n"), "{head}: {got}");
            assert!(error.starts_with(&format!(r#"{{"errors":[{{"code":"{code}""#)), "{head}: {error}");
            assert!(self.ask("GET /v2/nothing", "", chunked).await.0.starts_with("http/1.1 4"), "{head}");
        }
    }
}

// registry C24 J1 J5: every status and code of section 0 that has no rows of its own elsewhere
#[tokio::test]
async fn every_refusal_leaves_the_connection_in_order() {
    let registry = Fixture::with(
        "limits: {maxblobsize: 3000, maxmanifestsize: 3000}\n\
         immutabletags: [{repositories: [fixed], tags: ['*']}]\n\
         quotas: [{repositories: [small], maxsize: 1000}]\n",
    )
    .await;
    let (_, layer, bytes) = registry.push_image("n", "t").await;
    registry.push_image("fixed", "t").await;
    let index = format!("{:<2000}", r#"{"schemaVersion":2,"manifests":[]}"#);
    let (x_digest, list) = (sha256("x".repeat(2000).as_bytes()), format!("content-type: {OCI_INDEX}"));
    let [open, finished, cancelled] =
        [registry.begin("n").await, registry.begin("n").await, registry.begin("n").await];
    let (digest, unknown) = (sha256(b""), "/v2/n/blobs/uploads/00000000-0000-4000-8000-000000000000");
    assert_eq!(registry.request("PATCH", &open).body("0123456789").send().await.unwrap().status(), 202);
    assert_eq!(registry.status("PUT", &format!("{finished}?digest={digest}")).await, 201);
    assert_eq!(registry.status("DELETE", &cancelled).await, 204);
    let image = |config: &str| format!("{:<2000}", image(config, &[], ""));
    let kind = format!("content-type: {OCI_MANIFEST}");
    let (x, large) = ("x".repeat(2000), "x".repeat(4000));
    let (known, missing) = (String::from_utf8(bytes).unwrap(), image(&sha256(b"never pushed")));
    let mut connection = Connection::open(registry.address).await;
    for (head, body, status, code) in [
        ("PUT /v2/A/manifests/t", &x, 400, "NAME_INVALID"),
        ("PUT /v2/n/manifests/sha256:bad", &x, 400, "DIGEST_INVALID"),
        ("POST /v2/n/blobs/uploads/?digest=md5:00", &x, 400, "DIGEST_INVALID"),
        (&format!("POST /v2/n/blobs/uploads/?digest={digest}"), &x, 400, "DIGEST_INVALID"),
        (&format!("PUT {open}?digest=sha256:zz"), &x, 400, "DIGEST_INVALID"),
        (&format!("PUT /v2/n/manifests/t\n{kind}"), &x, 400, "MANIFEST_INVALID"),
        (&format!("PUT /v2/n/manifests/t\n{kind}"), &missing, 400, "MANIFEST_BLOB_UNKNOWN"),
        (&format!("PATCH {open}\ncontent-range: 10-19"), &x, 400, "SIZE_INVALID"),
        ("GET /v2/n/tags/list?n=abc", &x, 400, "UNSUPPORTED"),
        ("GET /v2/never/manifests/t", &x, 404, "NAME_UNKNOWN"),
        ("POST /elsewhere", &x, 404, "NAME_UNKNOWN"),
        ("DELETE /v2/n/manifests/never", &x, 404, "MANIFEST_UNKNOWN"),
        (&format!("GET /v2/n/blobs/{}", sha256(b"never pushed")), &x, 404, "BLOB_UNKNOWN"),
        (&format!("POST /v2/small/blobs/uploads/?digest={x_digest}"), &x, 403, "DENIED"),
        (&format!("PUT /v2/small/manifests/t\n{list}"), &index, 403, "DENIED"),
        ("POST /v2/n/manifests/t", &x, 405, "UNSUPPORTED"),
        (&format!("DELETE /v2/n/blobs/{layer}"), &x, 405, "UNSUPPORTED"),
        (&format!("PUT /v2/fixed/manifests/t\n{list}"), &index, 409, "DENIED"),
        (&format!("PUT /v2/n/manifests/t\n{kind}\nif-none-match: *"), &known, 412, "DENIED"),
        ("PUT /v2/n/manifests/t", &large, 413, "MANIFEST_INVALID"),
        (&format!("POST /v2/n/blobs/uploads/?digest={digest}"), &large, 413, "SIZE_INVALID"),
        (&format!("PUT /v2/{}", "a".repeat(9_000)), &x, 414, "UNSUPPORTED"),
        (&format!("PATCH {open}\ncontent-range: 5000-6999"), &x, 416, "BLOB_UPLOAD_INVALID"),
        (&format!("PUT /v2/n/manifests/t\nx-long: {}", "a".repeat(33_000)), &x, 431, "UNSUPPORTED"),
    ] {
        connection.refused(head, body, status, code).await;
    }
    for session in [unknown, &finished, &cancelled] {
        for ended in [format!("PATCH {session}"), format!("PUT {session}?digest={digest}")] {
            connection.refused(&ended, &x, 404, "BLOB_UPLOAD_UNKNOWN").await;
        }
    }
    assert_eq!(header(&registry.send("GET", &open).await, "range"), "0-9");
}

// registry J1 J5
#[tokio::test]
async fn a_refusal_for_who_asks_leaves_the_connection_in_order() {
    let (registry, _folder) = with_accounts("").await;
    let (x, push) = ("x".repeat(2000), "PUT /v2/n/manifests/t");
    let basic = |login: &str| format!("{push}\nauthorization: Basic {}", STANDARD.encode(login));
    let mut connection = Connection::open(registry.address).await;
    connection.refused(push, &x, 401, "UNAUTHORIZED").await;
    connection.refused(&basic("ci:secret-canary"), &x, 403, "DENIED").await;
    // Two wrong passwords at a time.
    for _ in 0..10 {
        connection.refused(&basic("dev:wrong"), &x, 401, "UNAUTHORIZED").await;
    }
    connection.refused(&basic("dev:wrong"), &x, 429, "TOOMANYREQUESTS").await;
}

// registry C17: a body that was taken whole leaves the connection in order as well
#[tokio::test]
async fn a_connection_goes_on_after_a_blob_at_once() {
    let registry = Fixture::new().await;
    let mut connection = Connection::open(registry.address).await;
    for (text, chunked) in [("stream", false), ("chunks", true), ("", false), ("", true)] {
        let digest = sha256(text.as_bytes());
        let post = format!("POST /v2/n/blobs/uploads/?digest={digest}");
        let (head, _) = connection.ask(&post, text, chunked).await;
        assert!(head.starts_with("http/1.1 201 "), "{text:?} {chunked}: {head}");
        assert!(head.contains(&format!("\r\nlocation: /v2/n/blobs/{digest}\r\n")), "{head}");
        assert!(head.contains(&format!("\r\ndocker-content-digest: {digest}\r\n")), "{head}");
        // Else the next request would have a connection of its own.
        assert!(!head.contains("connection: close"), "{head}");
        let (head, body) = connection.ask(&format!("GET /v2/n/blobs/{digest}"), "", false).await;
        assert!(head.starts_with("http/1.1 200 ") && body == text, "{head}{body}");
    }
}

// registry D14 at its default, and J6
#[tokio::test]
async fn a_connection_outlives_a_manifest_over_the_limit() {
    let registry = Fixture::new().await;
    let mut connection = Connection::open(registry.address).await;
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let large = format!("{index}{}", " ".repeat((4 << 20) + 1 - index.len()));
    for chunked in [false, true] {
        let (head, body) = connection.ask("PUT /v2/n/manifests/t", &large, chunked).await;
        assert!(head.starts_with("http/1.1 413 ") && !head.contains("connection: close"), "{head}");
        assert!(body.contains(r#""code":"MANIFEST_INVALID","detail":{"limit":4194304}"#), "{body}");
        let (head, _) = connection.ask("GET /v2/", "", chunked).await;
        assert!(head.starts_with("http/1.1 200 "), "{head}");
    }
}

/// One answer: its head in lower case, and its body.
async fn answer(socket: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        assert_ne!(socket.read_buf(&mut bytes).await.unwrap(), 0, "closed");
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let length: usize = length.parse().unwrap();
    while bytes.len() < end + length {
        assert_ne!(socket.read_buf(&mut bytes).await.unwrap(), 0, "closed");
    }
    canaries::told(&bytes);
    (head, String::from_utf8_lossy(&bytes[end..end + length]).into_owned())
}

// registry section 0 line 2
#[tokio::test]
async fn images_go_in_and_out_over_http_2() {
    let mut registry = Fixture::new().await;
    registry.client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().watched();
    let (digest, layer, bytes) = registry.push_image("n", "t").await;
    let manifest = registry.send("GET", "/v2/n/manifests/t").await;
    assert_eq!(manifest.version(), reqwest::Version::HTTP_2);
    assert_eq!(header(&manifest, "docker-content-digest"), digest);
    assert_eq!(manifest.bytes().await.unwrap(), bytes);
    let location = registry.begin("n").await;
    let large = vec![5u8; 3 << 20];
    let stream = futures::stream::iter(
        large.chunks(70_000).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>(),
    );
    let patch = registry.request("PATCH", &location).body(reqwest::Body::wrap_stream(stream));
    assert_eq!(patch.send().await.unwrap().status(), 202);
    let digest = sha256(&large);
    assert_eq!(registry.status("PUT", &format!("{location}?digest={digest}")).await, 201);
    assert_eq!(registry.send("GET", &format!("/v2/n/blobs/{digest}")).await.bytes().await.unwrap(), large);
    assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{layer}")).await, 200);
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    assert_eq!(registry.put_manifest("n", "i", OCI_INDEX, index).await.status(), 201);
}

// registry TL5
#[tokio::test]
async fn a_client_that_says_nothing_is_cut() {
    let registry = Fixture::new().await;
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(30), socket.read_to_end(&mut answer));
    closed.await.expect("the connection was left open").ok();
    canaries::told(&answer);
}

#[tokio::test]
async fn an_empty_host_is_every_address() {
    let socket = registry_server::http::listener::bind(":0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_ok());
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        assert!(TcpStream::connect(("::1", port)).await.is_ok());
    }
}

// registry LM3
#[tokio::test]
async fn a_header_that_does_not_end_is_cut() {
    let registry = Fixture::new().await;
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    socket.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(25), socket.read_to_end(&mut answer));
    closed.await.expect("the connection was left open").ok();
    canaries::told(&answer);
}

// registry LM3
#[tokio::test]
async fn a_later_header_of_a_connection_that_does_not_end_is_cut_as_well() {
    let registry = Fixture::new().await;
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    socket.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(answer(&mut socket).await.0.starts_with("http/1.1 200 "));
    socket.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut answer));
    closed.await.expect("the connection was left open").ok();
    canaries::told(&answer);
}

// registry J1 LM3
#[tokio::test]
async fn the_rest_of_a_refused_body_is_no_header() {
    let registry = Fixture::with("limits: {maxmanifestsize: 1000}").await;
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    socket
        .write_all(b"PUT /v2/n/manifests/t HTTP/1.1\r\nhost: x\r\ncontent-length: 2000\r\n\r\n")
        .await
        .unwrap();
    assert!(answer(&mut socket).await.0.starts_with("http/1.1 413 "));
    for half in ["x".repeat(1000), "x".repeat(1000)] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        socket.write_all(half.as_bytes()).await.unwrap();
    }
    // Longer than a header may take.
    tokio::time::sleep(Duration::from_secs(17)).await;
    socket.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(answer(&mut socket).await.0.starts_with("http/1.1 200 "));
}

// registry D23, and section 1: 414 and 431 are JSON from us
#[tokio::test]
async fn what_is_too_long_is_refused_in_the_error_format() {
    let registry = Fixture::new().await;
    let second = reqwest::Client::builder().no_proxy().http2_prior_knowledge().watched();
    for (client, version) in [(&registry.client, "1.1"), (&second, "2")] {
        for length in [9_000, 20_000, 60_000] {
            let url = format!("http://{}/v2/{}", registry.address, "a".repeat(length));
            refused(client.get(url).send().await.unwrap(), 414, "UNSUPPORTED").await;
        }
        let base = || client.get(format!("http://{}/v2/", registry.address));
        for length in [33_000, 50_000] {
            let long = base().header("x-long", "a".repeat(length));
            refused(long.send().await.unwrap(), 431, "UNSUPPORTED").await;
        }
        let many = (0..150).fold(base(), |request, i| request.header(format!("x-{i}"), "a"));
        refused(many.send().await.unwrap(), 431, "UNSUPPORTED").await;
        let fits = base().header("x-long", "a".repeat(20_000));
        assert_eq!(fits.send().await.unwrap().status(), 200, "HTTP/{version}");
    }
}

// registry J1, and RFC 9112 section 3.2
#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    let registry = Fixture::new().await;
    for (head, status) in [
        ("GET /v2/ HTTP/1.1\r\n", 400),
        ("GET /v2/ HTTP/1.1\r\nhost: a\r\nhost: b\r\n", 400),
        ("GET /v2/ HTTP/1.1\r\nhost: a\r\n", 200),
        ("GET /v2/ HTTP/1.1\r\nhost:\r\n", 200),
        ("GET /v2/ HTTP/1.0\r\n", 200),
    ] {
        let answer = registry.raw(&format!("{head}connection: close\r\n\r\n")).await;
        assert_eq!(answer.split(' ').nth(1), Some(status.to_string().as_str()), "{head}: {answer}");
        assert_eq!(answer.contains(r#"{"errors":[{"code":"UNSUPPORTED""#), status == 400, "{answer}");
    }
}
