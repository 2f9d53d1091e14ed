//! Sections 3 and 4: peers that take their time, and peers that do nothing. Where the server waits for two minutes, it
//! waits here for two seconds.

use std::time::Duration;

use registry_server::http::patience::Patience;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    canaries,
    client::Watch,
    fixture::{Fixture, eventually, header, open_below, sha256},
    sparse,
};

const LIMIT: Duration = Duration::from_secs(2);
/// Between two signs of life of whoever is slow.
const PAUSE: Duration = Duration::from_millis(250);
/// So many of these pauses take twice as long as the limit.
const PAUSES: usize = 16;
/// Longer than the server waits for anything here.
const ENOUGH: Duration = Duration::from_secs(60);
const LARGE: u64 = 64 << 20;

async fn impatient() -> Fixture {
    let patience = Patience { silence: LIMIT, stall: LIMIT, stream_stall: LIMIT, ..Patience::default() };
    Fixture::waiting(patience, "").await
}

/// A connection on which this was written.
async fn said(registry: &Fixture, text: &str) -> TcpStream {
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    socket.write_all(text.as_bytes()).await.unwrap();
    socket
}

/// What comes until the connection is closed, or reset.
async fn rest(socket: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(ENOUGH, socket.read_to_end(&mut rest)).await;
    read.expect("the connection was left open").ok();
    canaries::told(&rest);
    rest
}

// registry C32
#[tokio::test]
async fn a_sender_that_is_slow_is_heard_out() {
    let registry = impatient().await;
    for framing in [format!("content-length: {PAUSES}"), "transfer-encoding: chunked".to_owned()] {
        let (location, chunked) = (registry.begin("n").await, framing.contains("chunked"));
        let head = format!("PATCH {location} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{framing}\r\n\r\n");
        let mut socket = said(&registry, &head).await;
        for _ in 0..PAUSES {
            tokio::time::sleep(PAUSE).await;
            socket.write_all(if chunked { b"1\r\nx\r\n" } else { b"x" }).await.unwrap();
        }
        socket.write_all(if chunked { b"0\r\n\r\n" } else { b"" }).await.unwrap();
        let answer = String::from_utf8(rest(&mut socket).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 202 ") && answer.contains("range: 0-15\r\n"), "{answer}");
        let put = format!("{location}?digest={}", sha256(&[b'x'; PAUSES]));
        assert_eq!(registry.status("PUT", &put).await, 201);
    }
}

// registry C32 C30: what has come stays, and the upload goes on from there
#[tokio::test]
async fn a_sender_that_falls_silent_is_cut_and_goes_on_later() {
    let registry = impatient().await;
    for (framing, begun) in [
        ("content-length: 1000", "abc"),
        ("transfer-encoding: chunked", "3\r\nabc\r\n"),
        ("content-length: 6", "abc"),
    ] {
        let location = registry.begin("n").await;
        let head = format!("PATCH {location} HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n{begun}");
        let answer = rest(&mut said(&registry, &head).await).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{framing}: {}", String::from_utf8_lossy(&answer));
        eventually(async || open_below(&registry.store()) == 0).await;
        assert_eq!(header(&registry.send("GET", &location).await, "range"), "0-2", "{framing}");
        let more = registry.request("PATCH", &location).header("content-range", "3-5").body("def");
        assert_eq!(more.send().await.unwrap().status(), 202);
        let put = format!("{location}?digest={}", sha256(b"abcdef"));
        assert_eq!(registry.status("PUT", &put).await, 201);
    }
}

// registry C32 B21
#[tokio::test]
async fn a_reader_that_takes_nothing_is_let_go() {
    let registry = impatient().await;
    let blob = sparse::blob(&registry.store(), "n", LARGE);
    let mut socket = said(&registry, &format!("GET {blob} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
    eventually(async || open_below(&registry.store()) == 1).await;
    eventually(async || open_below(&registry.store()) == 0).await;
    // What sockets held, and no more.
    let read = rest(&mut socket).await;
    assert!(read.starts_with(b"HTTP/1.1 200 ") && (read.len() as u64) < LARGE, "{}", read.len());
}

// registry C32 J4: of a connection with several requests the one that is not read is given up, and no other
#[tokio::test]
async fn a_reader_that_takes_nothing_of_a_stream_is_let_go() {
    let registry = impatient().await;
    let blob = sparse::blob(&registry.store(), "n", LARGE);
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().watched();
    let base = format!("http://{}", registry.address);
    let unread = client.get(format!("{base}{blob}")).send().await.unwrap();
    assert_eq!((unread.status().as_u16(), unread.version()), (200, reqwest::Version::HTTP_2));
    eventually(async || open_below(&registry.store()) == 0).await;
    assert_eq!(client.get(format!("{base}/v2/")).send().await.unwrap().status(), 200);
    assert!(unread.bytes().await.is_err());
}

// registry C32
#[tokio::test]
async fn a_reader_that_is_slow_gets_everything() {
    let registry = impatient().await;
    let blob = sparse::blob(&registry.store(), "n", LARGE);
    let get = format!("GET {blob} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut socket = said(&registry, &get).await;
    let mut read = vec![0; PAUSES << 20];
    for part in read.chunks_mut(1 << 20) {
        tokio::time::sleep(PAUSE).await;
        socket.read_exact(part).await.unwrap();
    }
    let head = read.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let all = read.len() + rest(&mut socket).await.len();
    assert_eq!((all - head) as u64, LARGE);
}
