//! Where a body ends, said in two ways or in a wrong one (RFC 9112, section 6.3).

use super::{answered_once, sent, serves_others, statuses};
use crate::fixture::{Fixture, files_below, header};

// registry J5: nobody knows where such a request ends, so the connection ends with it
#[tokio::test]
async fn a_length_that_is_none_is_refused_and_the_connection_closed() {
    let registry = Fixture::new().await;
    let location = registry.begin("n").await;
    let put = |fields: &str| format!("PATCH {location} HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n");
    let lengths = [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 6",
        "content-length: +5",
        "content-length: -5",
        "content-length: 5 5",
        "content-length: 0x5",
        "content-length:",
        "content-length: 99999999999999999999",
        "content-length : 5",
    ];
    let requests: Vec<_> = lengths.iter().map(|fields| (put(fields), 400)).collect();
    answered_once(&registry, &requests).await;
    assert_eq!(header(&registry.send("GET", &location).await, "range"), "0-0");
}

// registry J5: a coding that nobody takes off would be stored as if it were content (RFC 9112, section 6.1)
#[tokio::test]
async fn a_transfer_coding_that_is_not_chunked_is_refused_and_the_connection_closed() {
    let registry = Fixture::new().await;
    let location = registry.begin("n").await;
    let before = files_below(&registry.store());
    let coded = |version: &str, codings: &str| {
        format!("PATCH {location} HTTP/1.{version}\r\nhost: x\r\n{codings}\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    };
    let requests = [
        ("1", "transfer-encoding: gzip, chunked", 501),
        ("1", "transfer-encoding: gzip\r\ntransfer-encoding: chunked", 501),
        ("1", "transfer-encoding: chunked, chunked", 501),
        ("1", "transfer-encoding: chunked\r\ntransfer-encoding: chunked", 501),
        ("1", "transfer-encoding: , chunked", 501),
        ("1", "transfer-encoding: xchunked", 400),
        ("1", "transfer-encoding: chunked, identity", 400),
        ("1", "transfer-encoding: identity", 400),
        ("1", "transfer-encoding: chunked;q=1", 400),
        ("1", "transfer-encoding: \u{b}chunked", 400),
        ("1", "transfer-encoding:\r\n chunked", 400),
        ("1", "transfer-encoding : chunked", 400),
        ("1", "transfer-encoding:", 400),
        ("0", "transfer-encoding: chunked", 400),
    ];
    let requests = requests.map(|(version, codings, status)| (coded(version, codings), status));
    answered_once(&registry, &requests).await;
    assert_eq!(files_below(&registry.store()), before);
}

// registry J5, and RFC 9112 section 6.3: of both, the chunks count, and nothing comes after
#[tokio::test]
async fn of_a_length_and_chunks_the_chunks_count_and_the_connection_is_closed() {
    let registry = Fixture::new().await;
    let smuggled = "GET /v2/smuggled/tags/list HTTP/1.1\r\nhost: x\r\n\r\n";
    for fields in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "transfer-encoding: Chunked\r\ncontent-length: 200",
        "content-length: 5\r\ncontent-length: 5\r\ntransfer-encoding: chunked",
    ] {
        let location = registry.begin("n").await;
        let head = format!("PATCH {location} HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n");
        let answers = sent(&registry, format!("{head}3\r\nabc\r\n0\r\n\r\n{smuggled}")).await;
        assert_eq!(statuses(&answers), [202], "{fields}: {answers}");
        assert!(answers.contains("connection: close\r\n"), "{answers}");
        assert_eq!(header(&registry.send("GET", &location).await, "range"), "0-2", "{fields}");
        serves_others(&registry).await;
    }
}

// registry J5: a body where none is expected is still a body, and no request
#[tokio::test]
async fn the_body_of_a_request_that_needs_none_is_no_request() {
    let registry = Fixture::new().await;
    let body = "DELETE /v2/smuggled/manifests/t HTTP/1.1\r\nhost: x\r\n\r\n";
    for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
        let head = format!("{method} /v2/n/tags/list HTTP/1.1\r\nhost: x\r\n");
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        // The one that follows is, and the only one that finds something.
        let next = "GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answers = statuses(&sent(&registry, format!("{request}{next}")).await);
        assert!(matches!(answers[..], [404 | 405, 200]), "{method}: {answers:?}");
    }
}
