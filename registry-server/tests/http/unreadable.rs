//! Sections 0, 13 and 15: requests that nobody can read.

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    authority::Authority,
    canaries,
    fixture::Fixture,
    tls::{connect, serve},
};

const GOOD: &str = "GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n";
const BAD: &str = "GET /v2/ HTTP/1.1\r\nhost: x\r\nbad name: x\r\n\r\n";

/// Everything that comes back for these bytes until the connection is closed.
async fn sent<S: AsyncRead + AsyncWrite + Unpin>(mut socket: S, request: &[u8]) -> String {
    socket.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    canaries::told(&answer);
    String::from_utf8(answer).unwrap()
}

/// The text is one refusal of this status in the error format, and nothing else.
fn is_refusal(text: &str, status: u16) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(text.matches("HTTP/1.").count(), 1, "{text}");
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
    let head = head.to_lowercase();
    for line in ["connection: close", "content-type: application/json", "x-content-type-options: nosniff"] {
        assert_eq!(head.matches(&format!("\r\n{line}")).count(), 1, "{line}: {text}");
    }
    assert!(head.contains("\r\ndate: "), "{text}");
    assert_eq!(head.matches("content-length:").count(), 1, "{text}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{text}");
    let error = &serde_json::from_str::<Value>(body).unwrap()["errors"][0];
    assert_eq!(error["code"], "UNSUPPORTED", "{text}");
    assert!(error["message"].is_string() && error["detail"].is_object(), "{text}");
}

/// What cannot be read, and the status of the answer.
fn unreadable() -> Vec<(String, u16)> {
    let with = |header: &str| format!("GET /v2/ HTTP/1.1\r\nhost: x\r\n{header}\r\n\r\n");
    let fields: String = (0..500).map(|i| format!("x-{i}: a\r\n")).collect();
    vec![
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("G@T /v2/ HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), 400),
        ("GET /v2/\u{1} HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), 400),
        ("GET /v2/ HTTP/7.3\r\nhost: x\r\n\r\n".to_owned(), 400),
        (BAD.to_owned(), 400),
        (with("x: \u{1}"), 400),
        (with("content-length: 1\r\ncontent-length: 2"), 400),
        (with("content-length: many"), 400),
        (with("transfer-encoding: gzip"), 400),
        (format!("GET /v2/{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(70_000)), 414),
        (with(&fields), 431),
        (with(&format!("x: {}", "a".repeat(500_000))), 431),
    ]
}

// registry J1
#[tokio::test]
async fn what_cannot_be_read_is_refused_in_the_error_format() {
    let registry = Fixture::new().await;
    for (request, status) in unreadable() {
        let socket = TcpStream::connect(registry.address).await.unwrap();
        is_refusal(&sent(socket, request.as_bytes()).await, status);
    }
}

// registry J1 J5
#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused_after_one_that_can() {
    let registry = Fixture::new().await;
    let digest = registry.push_blob("n", &[b'x'; 3 << 20]).await;
    let blob = format!("GET /v2/n/blobs/{digest} HTTP/1.1\r\nhost: x\r\n\r\n");
    let post = "POST /v2/nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody";
    for first in [GOOD, post, &blob] {
        let socket = TcpStream::connect(registry.address).await.unwrap();
        let both = sent(socket, format!("{first}{BAD}").as_bytes()).await;
        let (good, bad) = both.split_at(both.rfind("HTTP/1.1").unwrap());
        let (head, body) = good.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        is_refusal(bad, 400);
    }
}

// registry J1 B1
#[tokio::test]
async fn a_head_request_that_cannot_be_read_is_refused_without_a_body() {
    let registry = Fixture::new().await;
    for before in ["", GOOD] {
        let mut socket = TcpStream::connect(registry.address).await.unwrap();
        if !before.is_empty() {
            socket.write_all(before.as_bytes()).await.unwrap();
            let mut answer = [0; 4096];
            assert!(socket.read(&mut answer).await.unwrap() > 0);
        }
        let answer = sent(socket, BAD.replace("GET", "HEAD").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(answer.contains("content-type: application/json"), "{answer}");
    }
}

// registry B18 J1
#[tokio::test]
async fn a_blob_that_looks_like_a_refusal_is_not_touched() {
    let registry = Fixture::new().await;
    let blob = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let digest = registry.push_blob("n", blob.as_bytes()).await;
    for _ in 0..20 {
        let answer = registry.send("GET", &format!("/v2/n/blobs/{digest}")).await;
        assert_eq!(answer.text().await.unwrap(), blob);
    }
}

// registry J6
#[tokio::test]
async fn a_client_that_is_still_sending_reads_the_refusal() {
    let registry = Fixture::new().await;
    let long = format!("GET /v2/ HTTP/1.1\r\nhost: x\r\nx: {}", "a".repeat(1_200_000));
    for _ in 0..5 {
        let socket = TcpStream::connect(registry.address).await.unwrap();
        is_refusal(&sent(socket, long.as_bytes()).await, 431);
    }
}

// registry J1 TL1
#[tokio::test]
async fn what_cannot_be_read_is_refused_over_tls_as_well() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.server(folder.path());
    let registry = serve(folder.path(), "").await;
    for (request, status) in unreadable() {
        let socket = connect(&registry, &[&authority], &rustls::version::TLS13, "http/1.1").await;
        is_refusal(&sent(socket, request.as_bytes()).await, status);
    }
    let socket = connect(&registry, &[&authority], &rustls::version::TLS13, "").await;
    let both = sent(socket, format!("{GOOD}{BAD}").as_bytes()).await;
    is_refusal(both.strip_prefix("HTTP/1.1 200 OK\r\n").unwrap().split_once("{}").unwrap().1, 400);
}
