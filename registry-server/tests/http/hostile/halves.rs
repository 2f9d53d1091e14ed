//! Connections of which one half is closed.

use super::{sent_all, serves_others, statuses};
use crate::fixture::{Fixture, OCI_INDEX, eventually, files_below, sha256};

const INDEX: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

// registry J5: who has asked everything may say so
#[tokio::test]
async fn who_has_closed_the_half_that_it_writes_is_answered() {
    let registry = Fixture::new().await;
    // More than sockets hold.
    let blob = vec![b'x'; 24 << 20];
    let digest = registry.push_blob("n", &blob).await;
    let get = format!("GET /v2/n/blobs/{digest} HTTP/1.1\r\nhost: x\r\n\r\n");
    let put = format!(
        "PUT /v2/n/manifests/t HTTP/1.1\r\nhost: x\r\ncontent-type: {OCI_INDEX}\r\ncontent-length: {}\r\n\r\n{INDEX}",
        INDEX.len()
    );
    let answers = sent_all(&registry, get).await;
    assert!(answers.starts_with("HTTP/1.1 200 ") && answers.len() > blob.len(), "{}", answers.len());
    assert_eq!(statuses(&sent_all(&registry, &put).await), [201]);
    let tags = "GET /v2/n/tags/list HTTP/1.1\r\nhost: x\r\n\r\n";
    assert_eq!(statuses(&sent_all(&registry, format!("{put}{tags}{tags}")).await), [201, 200, 200]);
    assert_eq!(registry.status("GET", "/v2/n/manifests/t").await, 200);
}

// registry C35: half a request is none
#[tokio::test]
async fn half_a_request_leaves_nothing() {
    let registry = Fixture::new().await;
    let whole = format!("POST /v2/n/blobs/uploads/?digest={} HTTP/1.1\r\nhost: x\r\n", sha256(b"abc"));
    for half in [
        String::new(),
        "POST /v2/n".to_owned(),
        whole.clone(),
        format!("{whole}content-length: 6\r\n\r\n"),
        format!("{whole}content-length: 6\r\n\r\nabc"),
        format!("{whole}transfer-encoding: chunked\r\n\r\n6\r\nabc"),
    ] {
        let answers = sent_all(&registry, &half).await;
        assert!(matches!(statuses(&answers)[..], [] | [400]), "{half:?}: {answers}");
        serves_others(&registry).await;
    }
    // Whoever is cut off in the middle does not wait for the end of it.
    eventually(async || files_below(&registry.store()).is_empty()).await;
}
