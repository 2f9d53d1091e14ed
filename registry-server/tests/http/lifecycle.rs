//! Sections 13 to 16: TLS, probes, metrics, request ids, ending.

use std::time::Duration;

use crate::fixture::{Fixture, header};

fn certificate(folder: &std::path::Path) -> String {
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("crt"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key"), made.signing_key.serialize_pem()).unwrap();
    made.cert.pem()
}

async fn accepts(registry: &Fixture, trusted: &str, http1: bool) -> bool {
    let root = reqwest::Certificate::from_pem(trusted.as_bytes()).unwrap();
    let mut client = reqwest::Client::builder().no_proxy().tls_certs_only([root]);
    if http1 {
        client = client.http1_only();
    }
    let url = format!("https://{}/v2/", registry.address);
    let answer = client.build().unwrap().get(url).send().await;
    answer.is_ok_and(|response| response.status() == 200)
}

// registry TL1 TL2 TL3 TL6
#[tokio::test]
async fn a_new_certificate_is_taken_and_a_bad_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = certificate(folder.path());
    let at = folder.path().display();
    let registry =
        Fixture::with(&format!("http: {{tls: {{certificate: '{at}/crt', key: '{at}/key'}}}}")).await;
    assert!(accepts(&registry, &first, true).await && accepts(&registry, &first, false).await);
    let plain = registry.raw("GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n");
    tokio::time::timeout(Duration::from_secs(5), plain).await.unwrap();
    std::fs::write(folder.path().join("key"), "garbage").unwrap();
    tokio::time::sleep(Duration::from_millis(5500)).await;
    assert!(accepts(&registry, &first, true).await);
    let second = certificate(folder.path());
    tokio::time::sleep(Duration::from_millis(5500)).await;
    assert!(accepts(&registry, &second, true).await && !accepts(&registry, &first, true).await);
}

// registry OB1 OB2 OB3 OB5
#[tokio::test]
async fn probes_metrics_and_request_ids_are_there() {
    let registry = Fixture::with("http: {debug: {addr: '127.0.0.1:0'}}").await;
    registry.push_image("n", "t").await;
    let admin = async |path: &str| {
        let url = format!("http://{}{path}", registry.admin.unwrap());
        registry.client.get(url).send().await.unwrap()
    };
    assert_eq!(admin("/livez").await.status(), 200);
    assert_eq!(admin("/readyz").await.status(), 200);
    let metrics = admin("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("registry_http_requests_total{"), "{metrics}");
    assert_eq!(registry.status("GET", "/metrics").await, 404);
    let given = registry.request("GET", "/v2/").header("x-request-id", "abc-1").send().await.unwrap();
    assert_eq!(header(&given, "x-request-id"), "abc-1");
    let bad = registry.request("GET", "/v2/").header("x-request-id", "a b\"c").send().await.unwrap();
    assert_eq!(header(&bad, "x-request-id").len(), 36);
}

// registry J8
#[tokio::test]
async fn a_running_request_ends_before_the_server_does() {
    let registry = Fixture::new().await;
    let location = registry.begin("n").await;
    let slow = futures::stream::unfold(0, |i| async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        (i < 6).then_some((Ok::<_, std::io::Error>("part"), i + 1))
    });
    let patch = registry.request("PATCH", &location).body(reqwest::Body::wrap_stream(slow)).send();
    let running = tokio::spawn(patch);
    tokio::time::sleep(Duration::from_millis(250)).await;
    registry.stop.send(true).unwrap();
    assert_eq!(running.await.unwrap().unwrap().status(), 202);
    drop(registry.client);
    tokio::time::timeout(Duration::from_secs(5), registry.running).await.unwrap().unwrap();
}

// registry J5 J6
#[tokio::test]
async fn a_refusal_of_a_large_body_reaches_its_sender() {
    let registry = Fixture::new().await;
    let path = "/v2/n/blobs/uploads/00000000-0000-4000-8000-000000000000";
    for _ in 0..3 {
        let response = registry.request("PATCH", path).body(vec![0u8; 20 << 20]).send().await.unwrap();
        assert_eq!(response.status(), 404);
    }
}
