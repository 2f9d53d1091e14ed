//! Section 11: the cache never changes an answer.

use crate::fixture::{Fixture, header, refused};

async fn push_pull_delete(registry: &Fixture) {
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
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for address in ["127.0.0.1:1".to_owned(), silent.local_addr().unwrap().to_string()] {
        let started = std::time::Instant::now();
        let config = format!(
            "storage: {{delete: {{enabled: true}}, cache: {{blobdescriptor: redis}}}}\nredis: {{addrs: ['{address}']}}\nhttp: {{debug: {{addr: '127.0.0.1:0'}}}}"
        );
        let registry = Fixture::with(&config).await;
        push_pull_delete(&registry).await;
        assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
        let ready = registry.client.get(format!("http://{}/readyz", registry.admin.unwrap())).send().await;
        assert_eq!(ready.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_store_in_memory_serves_everything_too() {
    push_pull_delete(&Fixture::with("storage: {delete: {enabled: true}, inmemory: {}}").await).await;
}

// registry RC1 RC3 RC5 RC11
#[tokio::test]
async fn a_redis_that_comes_and_goes_changes_no_answer() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let start = |password: &str| {
        let arguments = ["--port", &port.to_string(), "--save", "", "--requirepass", password];
        let mut command = std::process::Command::new("redis-server");
        command.args(arguments).stdout(std::process::Stdio::null()).spawn()
    };
    let Ok(mut redis) = start("first") else {
        eprintln!("skipped: no redis-server on this machine");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "first\n").unwrap();
    let config = format!(
        "storage: {{delete: {{enabled: true}}, cache: {{blobdescriptor: redis}}}}\nredis: {{addrs: ['127.0.0.1:{port}'], passwordfile: '{}'}}",
        file.display()
    );
    let registry = Fixture::with(&config).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    push_pull_delete(&registry).await;
    registry.push_image("n", "kept").await;
    assert_eq!(registry.status("GET", "/v2/n/manifests/kept").await, 200);
    assert!(keys(port, "first").await > 0);
    redis.kill().unwrap();
    redis.wait().unwrap();
    push_pull_delete(&registry).await;
    std::fs::write(&file, "second\n").unwrap();
    let mut redis = start("second").unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    assert_eq!(registry.status("GET", "/v2/n/manifests/kept").await, 200);
    assert_eq!(registry.status("GET", "/v2/n/manifests/kept").await, 200);
    assert!(keys(port, "second").await > 0);
    redis.kill().unwrap();
    redis.wait().unwrap();
}

/// How many values are there, each with an expiry.
async fn keys(port: u16, password: &str) -> usize {
    let url = format!("redis://:{password}@127.0.0.1:{port}/");
    let mut connection = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    for key in &keys {
        assert!(key.starts_with("registry:1:"), "{key}");
        let expiry: i64 = redis::cmd("TTL").arg(key).query_async(&mut connection).await.unwrap();
        assert!(expiry > 0, "{key}");
    }
    keys.len()
}
