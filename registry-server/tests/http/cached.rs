//! Section 11: the cache never changes an answer.

use std::time::{Duration, Instant};

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

fn redis_at(address: &str) -> String {
    format!(
        "storage: {{delete: {{enabled: true}}, cache: {{blobdescriptor: redis}}}}\nredis: {{addrs: ['{address}']}}\nhttp: {{debug: {{addr: '127.0.0.1:0'}}}}"
    )
}

// registry RC3
#[tokio::test]
async fn an_absent_redis_changes_no_answer() {
    let registry = Fixture::with(&redis_at("127.0.0.1:1")).await;
    push_pull_delete(&registry).await;
    let ready = registry.client.get(format!("http://{}/readyz", registry.admin.unwrap())).send().await;
    assert_eq!(ready.unwrap().status(), 200);
}

// registry RC3 RC4
#[tokio::test]
async fn a_redis_that_is_silent_costs_its_clients_a_time_out_each_period() {
    const CLIENTS: usize = 8;
    // A server that takes the connection and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let registry = Fixture::with(&redis_at(&silent.local_addr().unwrap().to_string())).await;
    let started = Instant::now();
    push_pull_delete(&registry).await;
    registry.push_image("n", "kept").await;
    let ready = registry.client.get(format!("http://{}/readyz", registry.admin.unwrap())).send().await;
    assert_eq!(ready.unwrap().status(), 200);
    let client = async || {
        for _ in 0..100 {
            assert_eq!(registry.status("GET", "/v2/n/manifests/kept").await, 200);
        }
    };
    futures::future::join_all((0..CLIENTS).map(|_| client())).await;
    let periods = |since: Instant| since.elapsed().as_secs() as usize / 2 + 2;
    // It was tried once a breaker period, and not for every request.
    let mut tries = 0;
    while let Ok(Ok(_)) = tokio::time::timeout(Duration::from_millis(200), silent.accept()).await {
        tries += 1;
    }
    assert!((1..=periods(started)).contains(&tries), "{tries} in {:?}", started.elapsed());
}

#[tokio::test]
async fn a_store_in_memory_serves_everything_too() {
    push_pull_delete(&Fixture::with("storage: {delete: {enabled: true}, inmemory: {}}").await).await;
}
