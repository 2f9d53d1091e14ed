//! Sections 13 to 16: probes, metrics, request ids, ending.

use std::time::Duration;

use crate::fixture::{Fixture, eventually, files_below, header, refused};

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

// registry ST3, seed D11
#[tokio::test]
async fn an_emptied_store_makes_the_server_unready() {
    let registry = Fixture::with(
        "storage: {identity: one, initialize: true, filesystem: {rootdirectory: FOLDER/store}}\nhttp: {debug: {addr: '127.0.0.1:0'}}",
    )
    .await;
    let ready = async || {
        let url = format!("http://{}/readyz", registry.admin.unwrap());
        registry.client.get(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!(ready().await, 200);
    std::fs::remove_dir_all(registry.store()).unwrap();
    assert_eq!(registry.status("POST", "/v2/n/blobs/uploads/").await.as_u16() / 100, 5);
    assert!(!registry.store().exists(), "a store was made where none is mounted");
    std::fs::create_dir(registry.store()).unwrap();
    assert_eq!(ready().await, 503);
    eventually(async || registry.status("POST", "/v2/n/blobs/uploads/").await == 503).await;
    std::fs::remove_dir_all(registry.store()).unwrap();
    std::fs::create_dir(registry.store()).unwrap();
    let refused = registry.send("PUT", "/v2/n/manifests/t").await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after").as_str()), (503, "5"));
    assert_eq!(files_below(&registry.store()), Vec::<String>::new());
}

// registry J9 OB2 OB3
#[tokio::test]
async fn a_store_without_its_folder_is_not_ready_and_says_so() {
    let registry = Fixture::with("http: {debug: {addr: '127.0.0.1:0'}}").await;
    let ready = async || {
        let url = format!("http://{}/readyz", registry.admin.unwrap());
        let answer = registry.client.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (store, away) = (registry.store(), registry.folder.path().join("away"));
    assert_eq!(ready().await, (200, "ok\n".to_owned()));
    std::fs::rename(&store, &away).unwrap();
    assert_eq!(ready().await, (503, "the folder of the store is gone\n".to_owned()));
    refused(registry.send("POST", "/v2/n/blobs/uploads/").await, 503, "UNAVAILABLE").await;
    std::fs::write(&store, "no folder").unwrap();
    assert_eq!(ready().await, (503, "the folder of the store is gone\n".to_owned()));
    refused(registry.send("POST", "/v2/n/blobs/uploads/").await, 503, "UNAVAILABLE").await;
    let failed = "registry_store_errors_total{call=\"put\",reason=\"unavailable\"}";
    assert!(registry.metric(failed) >= 2.0);
    std::fs::remove_file(&store).unwrap();
    std::fs::rename(&away, &store).unwrap();
    assert_eq!(ready().await.0, 200);
    assert_eq!(registry.status("POST", "/v2/n/blobs/uploads/").await, 202);
}

// registry OB3
#[tokio::test]
async fn calls_to_the_store_and_uploads_are_counted() {
    let registry = Fixture::new().await;
    let uploads = |event: &str| registry.metric(&format!("registry_uploads_total{{event=\"{event}\"}}"));
    let puts = || registry.metric("registry_store_calls_total{call=\"put\"}");
    let before = (uploads("begun"), uploads("finished"), uploads("cancelled"), puts());
    registry.push_blob("n", b"x").await;
    let location = registry.begin("n").await;
    assert_eq!(registry.status("DELETE", &location).await, 204);
    let grown =
        [uploads("begun") - before.0, uploads("finished") - before.1, uploads("cancelled") - before.2];
    // Others count in this process, too.
    assert!(grown[0] >= 2.0 && grown[1] >= 1.0 && grown[2] >= 1.0, "{grown:?}");
    assert!(puts() - before.3 >= 2.0);
}
