//! Sections 0, 13 and 15: connections.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::fixture::{Fixture, OCI_INDEX, header, refused, sha256};

// registry J1 J5
#[tokio::test]
async fn every_refusal_leaves_the_connection_in_order() {
    let registry = Fixture::with("limits: {maxblobsize: 1000, maxmanifestsize: 1000}").await;
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    let session = "/v2/n/blobs/uploads/00000000-0000-4000-8000-000000000000";
    for (method, path, status) in [
        ("PUT", "/v2/A/manifests/t", 400),
        ("PUT", "/v2/n/manifests/sha256:bad", 400),
        ("PUT", "/v2/n/manifests/t", 413),
        ("POST", "/v2/n/manifests/t", 405),
        ("PATCH", session, 404),
        ("POST", "/v2/n/blobs/uploads/?digest=md5:00", 400),
        ("POST", "/elsewhere", 404),
        ("DELETE", "/v2/n/manifests/t", 404),
    ] {
        let body = "x".repeat(2000);
        let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2000\r\n\r\n{body}");
        socket.write_all(request.as_bytes()).await.unwrap();
        let (head, body) = answer(&mut socket).await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{method} {path}: {head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        assert!(body.starts_with(r#"{"errors":[{"code":""#), "{body}");
        if head.contains("connection: close") {
            socket = TcpStream::connect(registry.address).await.unwrap();
        }
    }
    socket.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(answer(&mut socket).await.0.starts_with("http/1.1 200 "));
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
    (head, String::from_utf8_lossy(&bytes[end..end + length]).into_owned())
}

// registry section 0 line 2
#[tokio::test]
async fn images_go_in_and_out_over_http_2() {
    let mut registry = Fixture::new().await;
    registry.client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
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
    let second = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
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
