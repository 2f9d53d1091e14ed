//! Section 11: the cache never changes an answer.

use crate::fixture::{Fixture, header, refused};

pub async fn push_pull_delete(registry: &Fixture) {
    for _ in 0..2 {
        let (digest, layer, bytes) = registry.push_image("n", "t").await;
        for _ in 0..3 {
            let response = registry.send("GET", "/v2/n/manifests/t").await;
            assert_eq!(header(&response, "docker-content-digest"), digest);
            assert_eq!(response.bytes().await.unwrap(), bytes);
            assert_eq!(registry.status("GET", &format!("/v2/n/blobs/{layer}")).await, 200);
        }
        assert_eq!(registry.status("DELETE", &format!("/v2/n/manifests/{digest}")).await, 202);
        refused(registry.send("GET", "/v2/n/manifests/t").await, 404, "MANIFEST_UNKNOWN").await;
        assert_eq!(registry.status("HEAD", &format!("/v2/n/manifests/{digest}")).await, 404);
        assert_eq!(registry.status("DELETE", &format!("/v2/n/blobs/{layer}")).await, 202);
        assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{layer}")).await, 404);
    }
}

// registry RC1 RC7 RC8
#[tokio::test]
async fn a_cache_in_memory_changes_no_answer() {
    push_pull_delete(
        &Fixture::with("storage: {delete: {enabled: true}, cache: {blobdescriptor: inmemory}}").await,
    )
    .await;
}

// registry RC3 RC4
#[tokio::test]
async fn an_absent_redis_changes_no_answer() {
    // A server that takes the connection and never answers.
    let started = std::time::Instant::now();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for address in ["127.0.0.1:1".to_owned(), silent.local_addr().unwrap().to_string()] {
        let config = format!(
            "storage: {{delete: {{enabled: true}}, cache: {{blobdescriptor: redis}}}}\nredis: {{addrs: ['{address}']}}\nhttp: {{debug: {{addr: '127.0.0.1:0'}}}}"
        );
        let registry = Fixture::with(&config).await;
        push_pull_delete(&registry).await;
        let ready = registry.client.get(format!("http://{}/readyz", registry.admin.unwrap())).send().await;
        assert_eq!(ready.unwrap().status(), 200);
    }
    // It was tried once a breaker period, and not for every request.
    let mut tries = 0;
    let patience = std::time::Duration::from_millis(200);
    while let Ok(Ok(_)) = tokio::time::timeout(patience, silent.accept()).await {
        tries += 1;
    }
    let periods = started.elapsed().as_secs() / 2 + 2;
    assert!((1..=periods).contains(&tries), "{tries} in {periods} periods");
}

#[tokio::test]
async fn a_store_in_memory_serves_everything_too() {
    push_pull_delete(&Fixture::with("storage: {delete: {enabled: true}, inmemory: {}}").await).await;
}
