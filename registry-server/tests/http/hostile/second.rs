//! HTTP/2: frames that ask for more than they carry.

use std::{iter, time::Duration};

use registry_server::http::patience::Patience;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{exchange, serves_others};
use crate::{
    canaries,
    fixture::{Fixture, eventually, files_below, sha256},
};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;
/// Flags of headers.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// GET, http, `/v2/` and a host.
const GET: &[u8] = b"\x82\x86\x44\x04/v2/\x41\x01x";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field `:status` of 200, in one byte.
const OK: u8 = 0x88;
/// A field `:status` of 431: the name of number 8, and three letters that Huffman's code makes three bytes as well.
const TOO_LARGE: &[u8] = &[0x48, 0x83, 0x69, 0x90, 0xff];
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The frames that come back for these, by type and first byte: nothing else is said, and the server is told so.
async fn answered(registry: &Fixture, frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<(u8, u8)> {
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, b""));
    bytes.extend(frames.into_iter().flatten());
    frames_of(&exchange(registry, &bytes, true).await)
}

/// What comes back for these frames.
async fn asked(registry: &Fixture, frames: &[u8]) -> Vec<u8> {
    let bytes = [PREFACE, &frame(SETTINGS, 0, 0, b""), frames].concat();
    exchange(registry, &bytes, true).await
}

/// The header that answers the only stream of a connection.
async fn header_of(registry: &Fixture, frames: &[u8]) -> Vec<u8> {
    let said = asked(registry, frames).await;
    let mut all = payloads(&said);
    all.retain(|(kind, _)| *kind == HEADERS);
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].1.to_vec()
}

/// Those that have come whole, by type and first byte.
fn frames_of(said: &[u8]) -> Vec<(u8, u8)> {
    let first = |payload: &[u8]| payload.first().copied().unwrap_or_default();
    payloads(said).into_iter().map(|(kind, payload)| (kind, first(payload))).collect()
}

/// Those that have come whole, by type, and what is in them.
fn payloads(mut rest: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let [a, b, c, kind, ..] = rest {
        let end = 9 + u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some(payload) = rest.get(9..end) else { break };
        frames.push((*kind, payload));
        rest = &rest[end..];
    }
    frames
}

/// The first frame that says what becomes of a stream, by a client that waits for it.
async fn first_answer(registry: &Fixture, frames: impl IntoIterator<Item = Vec<u8>>) -> (u8, u8) {
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    socket.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, b"")].concat()).await.unwrap();
    for frame in frames {
        socket.write_all(&frame).await.unwrap();
    }
    let mut said = Vec::new();
    let answer = async {
        loop {
            let frame =
                frames_of(&said).into_iter().find(|(kind, _)| [HEADERS, RESET, GO_AWAY].contains(kind));
            match frame {
                Some(answer) => break answer,
                None => assert_ne!(socket.read_buf(&mut said).await.unwrap(), 0, "closed without an answer"),
            }
        }
    };
    let answer = tokio::time::timeout(super::PATIENCE, answer).await.expect("nothing was answered");
    canaries::told(&said);
    answer
}

// registry J1 LM2: a header that never ends is given up
#[tokio::test]
async fn a_header_of_endless_continuations_is_cut() {
    let registry = Fixture::new().await;
    // A field of 16,000 bytes that is not to be remembered.
    let field = [b"\0\x01x\x7f\x81\x7c", &[b'a'; 16_000][..]].concat();
    let (mut socket, more) =
        (TcpStream::connect(registry.address).await.unwrap(), frame(CONTINUATION, 0, 1, &field));
    let begin = [PREFACE, &frame(SETTINGS, 0, 0, b""), &frame(HEADERS, END_STREAM, 1, GET)].concat();
    socket.write_all(&begin).await.unwrap();
    // As much as this is more than what buffers between two sockets hold.
    let mut taken = 0;
    while taken < 2_000 && socket.write_all(&more).await.is_ok() {
        taken += 1;
    }
    assert!(taken < 2_000, "the server takes a header of any length");
    serves_others(&registry).await;
}

// registry J1 LM2: one field of 4,000 bytes, and a byte for each time that it is there again
#[tokio::test]
async fn a_header_that_is_packed_small_counts_as_it_is_unpacked() {
    let registry = Fixture::new().await;
    let head = |times: usize| {
        let field = [b"\x40\x01x\x7f\xa1\x1e", &[b'a'; 4_000][..], &vec![0xbe; times]].concat();
        frame(HEADERS, END_STREAM | END_HEADERS, 1, &[GET, &field].concat())
    };
    for (times, status) in [(0, &[OK][..]), (8, TOO_LARGE), (20, TOO_LARGE)] {
        let answer = header_of(&registry, &head(times)).await;
        assert!(answer.starts_with(status), "{times}: {answer:02x?}");
    }
    // What is far above the limit ends its connection, and is no request. `ENHANCE_YOUR_CALM`
    let said = asked(&registry, &head(10_000)).await;
    let of_streams: Vec<_> = payloads(&said).into_iter().filter(|(kind, _)| *kind != SETTINGS).collect();
    let calm = matches!(of_streams[..], [(GO_AWAY, [_, _, _, _, 0, 0, 0, 0x0b, ..])]);
    assert!(calm, "{of_streams:02x?}");
    serves_others(&registry).await;
}

// registry LM2: requests that are taken back as soon as they are made
#[tokio::test]
async fn requests_that_are_reset_at_once_keep_nobody_out() {
    let registry = Fixture::new().await;
    let pairs = (0..5_000).map(|request| {
        let stream = 2 * request + 1;
        [frame(HEADERS, END_STREAM | END_HEADERS, stream, GET), frame(RESET, 0, stream, b"\0\0\0\x08")]
            .concat()
    });
    keeps_nobody_out(&registry, pairs).await;
}

/// Others are served while this comes, and after it.
async fn keeps_nobody_out(registry: &Fixture, frames: impl IntoIterator<Item = Vec<u8>>) {
    let flood = answered(registry, frames);
    tokio::pin!(flood);
    loop {
        tokio::select! {
            _ = &mut flood => break,
            () = serves_others(registry) => {}
        }
    }
    serves_others(registry).await;
}

// registry LM2: each of them wants an answer
#[tokio::test]
async fn pings_and_settings_without_end_keep_nobody_out() {
    let registry = Fixture::new().await;
    keeps_nobody_out(&registry, (0..50_000).map(|_| frame(PING, 0, 0, &[0; 8]))).await;
    keeps_nobody_out(&registry, (0..50_000).map(|_| frame(SETTINGS, 0, 0, b""))).await;
    let upload = frame(HEADERS, END_HEADERS, 1, &post("/v2/n/blobs/uploads/?digest=x", b""));
    keeps_nobody_out(&registry, iter::once(upload).chain((0..50_000).map(|_| frame(DATA, 0, 1, b"")))).await;
}

/// POST to this path, http, a host, and more fields as HPACK has them.
fn post(path: &str, more: &[u8]) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    assert!(length < 127, "its length has one byte");
    [b"\x83\x86\x44", &[length][..], path.as_bytes(), b"\x41\x01x", more].concat()
}

// registry C35 J1: a body is as long as its length says, over HTTP/2 as well
#[tokio::test]
async fn a_stream_that_is_not_as_long_as_it_says_is_no_request() {
    let registry = Fixture::new().await;
    let (path, blob) = (
        format!("/v2/n/blobs/uploads/?digest={}", sha256(b"abc")),
        format!("/v2/n/blobs/{}", sha256(b"abc")),
    );
    // `content-length` and its value.
    for length in [b"\x0f\x0d\x015", b"\x0f\x0d\x012"] {
        let head = frame(HEADERS, END_HEADERS, 1, &post(&path, length));
        let (kind, _) = first_answer(&registry, [head, frame(DATA, END_STREAM, 1, b"abc")]).await;
        assert_ne!(kind, HEADERS, "it is no request");
        assert_eq!(registry.status("HEAD", &blob).await, 404);
    }
    let head = frame(HEADERS, END_HEADERS, 1, &post(&path, b"\x0f\x0d\x013"));
    first_answer(&registry, [head, frame(DATA, END_STREAM, 1, b"abc")]).await;
    assert_eq!(registry.status("HEAD", &blob).await, 200);
}

// registry J1: fields after the body are no fields of the request
#[tokio::test]
async fn trailers_change_nothing() {
    let registry = Fixture::new().await;
    let path = format!("/v2/n/blobs/uploads/?digest={}", sha256(b"abc"));
    let frames = [
        frame(HEADERS, END_HEADERS, 1, &post(&path, b"")),
        frame(DATA, 0, 1, b"abc"),
        // `content-range: 9-9`
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x0f\x0f\x039-9"),
    ];
    first_answer(&registry, frames).await;
    assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{}", sha256(b"abc"))).await, 200);
}

// registry J1: nobody is connected to anything
#[tokio::test]
async fn a_tunnel_is_not_opened() {
    let registry = Fixture::new().await;
    // `:method: CONNECT`, `:authority: x`
    let head = frame(HEADERS, END_HEADERS, 1, b"\x02\x07CONNECT\x41\x01x");
    let answer = first_answer(&registry, [head, frame(DATA, END_STREAM, 1, b"abc")]).await;
    assert_ne!(answer, (HEADERS, OK));
    serves_others(&registry).await;
}

/// What the server says until it closes the connection. It is told that somebody is there whenever it asks.
async fn until_closed(socket: &mut TcpStream) -> Vec<u8> {
    const ACK: u8 = 1;
    let (mut said, mut answered) = (Vec::new(), 0);
    while socket.read_buf(&mut said).await.unwrap() > 0 {
        let asked: Vec<_> = said.windows(17).filter(|frame| frame.starts_with(&[0, 0, 8, PING, 0])).collect();
        for ping in &asked[answered..] {
            socket.write_all(&frame(PING, ACK, 0, &ping[9..])).await.unwrap();
        }
        answered = asked.len();
    }
    said
}

// registry LM2: a client that only keeps its connection does not keep its place; one that asks does
#[tokio::test]
async fn a_connection_that_rests_is_closed() {
    const REQUESTS: u32 = 16;
    let registry =
        Fixture::waiting(Patience { idle: Duration::from_secs(4), ..Patience::default() }, "").await;
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    socket.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, b"")].concat()).await.unwrap();
    for number in 0..REQUESTS {
        let ask = frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, GET);
        socket.write_all(&ask).await.unwrap();
        // All of them take twice as long as a connection may rest.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    // Sooner than a client is missed that answers nothing.
    let said = tokio::time::timeout(Duration::from_secs(25), until_closed(&mut socket)).await;
    let frames = frames_of(&said.expect("the connection was left open"));
    assert_eq!(
        frames.iter().filter(|frame| **frame == (HEADERS, OK)).count(),
        REQUESTS as usize,
        "{frames:?}"
    );
    assert!(frames.iter().any(|(kind, _)| *kind == GO_AWAY), "{frames:?}");
    serves_others(&registry).await;
}

// registry C35 C21: nobody but the request that is cut off knows of its upload
#[tokio::test]
async fn half_a_blob_of_a_stream_that_is_reset_leaves_nothing() {
    let registry = Fixture::new().await;
    let head = post(&format!("/v2/n/blobs/uploads/?digest={}", sha256(b"abc")), b"");
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    let begin = [PREFACE, &frame(SETTINGS, 0, 0, b""), &frame(HEADERS, END_HEADERS, 1, &head)].concat();
    socket.write_all(&begin).await.unwrap();
    socket.write_all(&frame(DATA, 0, 1, b"ab")).await.unwrap();
    eventually(async || !files_below(&registry.store()).is_empty()).await;
    socket.write_all(&frame(RESET, 0, 1, b"\0\0\0\x08")).await.unwrap();
    eventually(async || files_below(&registry.store()).is_empty()).await;
    serves_others(&registry).await;
}
