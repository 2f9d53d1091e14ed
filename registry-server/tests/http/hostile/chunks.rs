//! Chunks that are not what they say (RFC 9112, section 7.1).

use super::{SMUGGLED, sent, sent_all, serves_others, statuses};
use crate::fixture::{Fixture, files_below, header, sha256};

/// No blob comes of it, whatever its digest is, and no second answer.
async fn refused(registry: &Fixture, chunks: &str, all: bool) {
    let shown = &chunks[..chunks.len().min(100)];
    for content in ["", "abc", "abcde", "abcdefghij"] {
        let digest = sha256(content.as_bytes());
        let head = format!("POST /v2/n/blobs/uploads/?digest={digest} HTTP/1.1\r\nhost: x\r\n");
        let request = format!("{head}transfer-encoding: chunked\r\n\r\n{chunks}");
        let answers = match all {
            true => sent_all(registry, request).await,
            false => sent(registry, format!("{request}{SMUGGLED}")).await,
        };
        assert!(matches!(statuses(&answers)[..], [] | [400]), "{shown:?}: {answers}");
        assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{digest}")).await, 404, "{shown:?}");
    }
    assert_eq!(files_below(&registry.store()), Vec::<String>::new(), "{shown:?}");
    serves_others(registry).await;
}

// registry C35 J5
#[tokio::test]
async fn chunks_that_lie_about_their_size_leave_nothing() {
    let registry = Fixture::new().await;
    let long = format!("5;{}\r\nabcde\r\n0\r\n\r\n", "x".repeat(20_000));
    let trailers = format!("5\r\nabcde\r\n0\r\nx: {}\r\n\r\n", "x".repeat(20_000));
    for chunks in [
        "10000000000000000\r\nabcde\r\n0\r\n\r\n",
        "-5\r\nabcde\r\n0\r\n\r\n",
        "+5\r\nabcde\r\n0\r\n\r\n",
        "0x5\r\nabcde\r\n0\r\n\r\n",
        "five\r\nabcde\r\n0\r\n\r\n",
        "\r\nabcde\r\n0\r\n\r\n",
        "5\r\nabcdefghij\r\n0\r\n\r\n",
        "5\r\nabcde0\r\n\r\n",
        "5\nabcde\n0\n\n",
        "5\r\nabcde\n0\r\n\r\n",
        "5\rabcde\r\n0\r\n\r\n",
        "5\0\r\nabcde\r\n0\r\n\r\n",
        &long,
        &trailers,
    ] {
        refused(&registry, chunks, false).await;
    }
}

// registry C35
#[tokio::test]
async fn chunks_that_end_too_early_leave_nothing() {
    let registry = Fixture::new().await;
    for chunks in [
        "",
        "5",
        "5\r\n",
        "5\r\nabc",
        "5\r\nabcde",
        "5\r\nabcde\r\n",
        "5\r\nabcde\r\n0\r\n",
        "ffffffffffffffff\r\nabcde",
        "fffffffffffffff0\r\nabcde\r\n0\r\n\r\n",
    ] {
        refused(&registry, chunks, true).await;
    }
}

// registry C6: what is odd and not wrong
#[tokio::test]
async fn extensions_trailers_and_zeros_in_front_change_nothing() {
    let registry = Fixture::new().await;
    for chunks in [
        "5;name=value\r\nabcde\r\n0\r\n\r\n",
        "5\r\nabcde\r\n0\r\nx-trailer: a\r\n\r\n",
        "00005\r\nabcde\r\n000\r\n\r\n",
        "1\r\na\r\n4\r\nbcde\r\n0\r\n\r\n",
    ] {
        let location = registry.begin("n").await;
        let head = format!("PATCH {location} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        let answers = sent(&registry, format!("{head}transfer-encoding: chunked\r\n\r\n{chunks}")).await;
        assert_eq!(statuses(&answers), [202], "{chunks:?}: {answers}");
        assert_eq!(header(&registry.send("GET", &location).await, "range"), "0-4", "{chunks:?}");
    }
}
