//! Bodies that are too large, and bodies that say that they are.

use super::{sent_all, serves_others, statuses};
use crate::fixture::{Fixture, OCI_INDEX, files_below, sha256};

const LIMITS: &str = "limits: {maxmanifestsize: 1000, maxblobsize: 3000}";

fn head(line: &str, fields: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nhost: x\r\ncontent-type: {OCI_INDEX}\r\nconnection: close\r\n{fields}\r\n\r\n"
    )
}

// registry D14 LM1: a length alone is enough to be refused for
#[tokio::test]
async fn what_says_that_it_is_too_large_is_refused_before_it_comes() {
    let registry = Fixture::with(LIMITS).await;
    let location = registry.begin("n").await;
    let before = files_below(&registry.store());
    let digest = sha256(b"");
    for line in [
        "PUT /v2/n/manifests/t".to_owned(),
        format!("POST /v2/n/blobs/uploads/?digest={digest}"),
        format!("PATCH {location}"),
        format!("PUT {location}?digest={digest}"),
    ] {
        for length in ["3001", "9223372036854775807", "18446744073709551613"] {
            let answers = sent_all(&registry, head(&line, &format!("content-length: {length}"))).await;
            assert_eq!(statuses(&answers), [413], "{line} {length}: {answers}");
            serves_others(&registry).await;
        }
    }
    assert_eq!(files_below(&registry.store()), before);
}

// registry D14 D31 LM1
#[tokio::test]
async fn what_does_not_say_how_large_it_is_is_refused_where_it_becomes_too_large() {
    let registry = Fixture::with(LIMITS).await;
    let digest = sha256(b"");
    for line in ["PUT /v2/n/manifests/t", &format!("POST /v2/n/blobs/uploads/?digest={digest}")] {
        let chunks = format!("1000\r\n{}\r\n", " ".repeat(4096)).repeat(100) + "0\r\n\r\n";
        let request = head(line, "transfer-encoding: chunked") + &chunks;
        let answers = sent_all(&registry, request).await;
        assert_eq!(statuses(&answers), [413], "{line}: {answers}");
        serves_others(&registry).await;
    }
    assert_eq!(files_below(&registry.store()), Vec::<String>::new());
}

// registry C35: what is announced takes no room before it comes
#[tokio::test]
async fn a_length_that_nobody_can_send_is_no_room_taken() {
    let registry = Fixture::new().await;
    let digest = sha256(b"abc");
    let line = format!("POST /v2/n/blobs/uploads/?digest={digest}");
    for length in ["9223372036854775807", "18446744073709551613"] {
        let request = head(&line, &format!("content-length: {length}")) + "abc";
        let answers = sent_all(&registry, request).await;
        assert!(matches!(statuses(&answers)[..], [] | [400]), "{length}: {answers}");
        serves_others(&registry).await;
    }
    assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{digest}")).await, 404);
}
