//! Bodies that say that they are compressed. The registry takes nothing apart: a digest is that of the bytes as they come.

use super::serves_others;
use crate::fixture::{Fixture, OCI_INDEX, files_below, header, refused, sha256};

const INDEX: &str = r#"{"schemaVersion":2,"manifests":[]}"#;
/// The same, compressed.
const GZIPPED: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\x4e\xce\x48\xcd\x4d\x0c\x4b\x2d\x2a\
    \xce\xcc\xcf\x53\xb2\x32\xd2\x51\xca\x4d\xcc\xcb\x4c\x4b\x2d\x2e\x29\x56\xb2\x8a\x8e\xad\
    \x05\x00\xec\x57\x3a\x71\x22\x00\x00\x00";

// registry D1 E7
#[tokio::test]
async fn a_compressed_manifest_is_no_manifest() {
    let registry = Fixture::new().await;
    for path in ["/v2/n/manifests/t", &format!("/v2/n/manifests/{}", sha256(INDEX.as_bytes()))] {
        let put = registry.request("PUT", path).header("content-type", OCI_INDEX);
        let put = put.header("content-encoding", "gzip").body(GZIPPED).send().await.unwrap();
        assert_eq!(put.status(), 400);
        serves_others(&registry).await;
    }
    assert_eq!(files_below(&registry.store()), Vec::<String>::new());
}

// registry B18 C35
#[tokio::test]
async fn a_compressed_blob_is_what_came_and_not_what_is_in_it() {
    let registry = Fixture::new().await;
    let post = |digest: &str| {
        let post = registry.request("POST", &format!("/v2/n/blobs/uploads/?digest={digest}"));
        post.header("content-encoding", "gzip").body(GZIPPED)
    };
    let (inside, outside) = (sha256(INDEX.as_bytes()), sha256(GZIPPED));
    refused(post(&inside).send().await.unwrap(), 400, "DIGEST_INVALID").await;
    assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{inside}")).await, 404);
    assert_eq!(post(&outside).send().await.unwrap().status(), 201);
    let got = registry.send("GET", &format!("/v2/n/blobs/{outside}")).await;
    assert_eq!(header(&got, "content-encoding"), "");
    assert_eq!(got.bytes().await.unwrap(), GZIPPED);
    serves_others(&registry).await;
}
