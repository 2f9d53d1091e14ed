//! Sections 13 to 16: probes, metrics, request ids, ending.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    access::with_accounts,
    canaries,
    fixture::{Fixture, OCI_MANIFEST, files_below, header, refused, sha256},
};

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

/// Sends a hundred MiB after the head while it reads the answer; gives the answer's head and how many MiB went out.
async fn send_100_mib(address: SocketAddr, head: String) -> (String, usize) {
    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    let chunked = head.contains("chunked");
    let sending = tokio::spawn(async move {
        let end: &[u8] = if chunked { b"\r\n" } else { b"" };
        let size = if chunked { format!("{:x}\r\n", 1 << 20) } else { String::new() };
        let piece = [size.as_bytes(), &vec![b'x'; 1 << 20], end].concat();
        writing.write_all(head.as_bytes()).await.unwrap();
        for sent in 0..100 {
            if writing.write_all(&piece).await.is_err() {
                return sent;
            }
        }
        100
    });
    let mut answer = Vec::new();
    while !answer.ends_with(b"}]}") {
        assert_ne!(reading.read_buf(&mut answer).await.unwrap(), 0, "closed without an answer");
    }
    canaries::told(&answer);
    (String::from_utf8(answer).unwrap(), sending.await.unwrap())
}

// registry J6
#[tokio::test]
async fn a_refusal_of_a_large_body_reaches_its_sender() {
    let (registry, _folder) = with_accounts("limits: {maxblobsize: 1000, maxmanifestsize: 1000}").await;
    let begun = registry.request("POST", "/v2/n/blobs/uploads/").basic_auth("dev", Some("secret-canary"));
    let session = header(&begun.send().await.unwrap(), "location");
    let login = format!("authorization: Basic {}\r\n", STANDARD.encode("dev:secret-canary"));
    let unknown = "/v2/n/blobs/uploads/00000000-0000-4000-8000-000000000000";
    for framing in [format!("content-length: {}", 100 << 20), "transfer-encoding: chunked".to_owned()] {
        for (method, path, login, status) in [
            ("PATCH", unknown, login.as_str(), 404),
            ("PUT", "/v2/n/manifests/t", "", 401),
            ("PUT", "/v2/n/manifests/t", &login, 413),
            ("PATCH", &session, &login, 413),
        ] {
            let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{login}{framing}\r\n\r\n");
            let (answer, sent) = send_100_mib(registry.address, head).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {answer}");
            // What nobody wants is not read to its end.
            assert!(sent < 100, "{method} {path} {framing}");
        }
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

// registry section 0 line 5, J9
#[tokio::test]
async fn a_store_that_is_gone_has_lost_nothing() {
    for cache in ["", ", cache: {blobdescriptor: inmemory}"] {
        let registry = Fixture::with(&format!("storage: {{delete: {{enabled: true}}{cache}}}")).await;
        let (digest, layer, bytes) = registry.push_image("n", "t").await;
        let session = registry.begin("n").await;
        assert_eq!(registry.request("PATCH", &session).body("abc").send().await.unwrap().status(), 202);
        let (blob, manifest) = (format!("/v2/n/blobs/{layer}"), format!("/v2/n/manifests/{digest}"));
        let reads = [&blob, &manifest, "/v2/n/manifests/t", "/v2/n/tags/list", "/v2/_catalog"];
        for path in reads {
            assert_eq!(registry.status("GET", path).await, 200);
        }
        let (store, away) = (registry.store(), registry.folder.path().join("away"));
        std::fs::rename(&store, &away).unwrap();
        let mut asked: Vec<(&str, String)> = reads
            .iter()
            .flat_map(|path| [("GET", (*path).to_owned()), ("HEAD", (*path).to_owned())])
            .collect();
        asked.extend([
            ("GET", format!("/v2/n/referrers/{digest}")),
            ("GET", "/v2/never/manifests/t".to_owned()),
            ("GET", session.clone()),
            ("PATCH", session.clone()),
            ("PUT", format!("{session}?digest={}", sha256(b"abc"))),
            ("DELETE", session.clone()),
            ("POST", "/v2/n/blobs/uploads/".to_owned()),
            ("POST", format!("/v2/other/blobs/uploads/?mount={layer}&from=n")),
            ("POST", format!("/v2/other/blobs/uploads/?mount={layer}")),
            ("PUT", "/v2/n/manifests/t".to_owned()),
            ("DELETE", "/v2/n/manifests/t".to_owned()),
            ("DELETE", manifest.clone()),
            ("DELETE", blob.clone()),
        ]);
        for (method, path) in asked {
            let request = registry.request(method, &path).header("content-type", OCI_MANIFEST);
            let answer = request.body(if method == "PUT" { bytes.clone() } else { Vec::new() });
            let answer = answer.send().await.unwrap();
            let id = header(&answer, "x-request-id");
            assert_eq!(
                (answer.status().as_u16(), header(&answer, "retry-after").as_str()),
                (503, "5"),
                "{method} {path}"
            );
            if method != "HEAD" {
                let error = refused(answer, 503, "UNAVAILABLE").await;
                assert_eq!(error["errors"][0]["message"], "the store does not answer");
                assert_eq!(error["errors"][0]["detail"]["requestId"], id);
            }
        }
        std::fs::rename(&away, &store).unwrap();
        for path in reads {
            assert_eq!(registry.status("GET", path).await, 200);
        }
        assert_eq!(header(&registry.send("GET", &session).await, "range"), "0-2");
    }
}

// registry ST3, seed D11
#[tokio::test]
async fn nothing_is_missing_where_the_volume_is_not_mounted() {
    let registry = Fixture::with(
        "storage: {identity: one, initialize: true, filesystem: {rootdirectory: FOLDER/store}}",
    )
    .await;
    let (digest, layer, bytes) = registry.push_image("n", "t").await;
    let (store, away) = (registry.store(), registry.folder.path().join("away"));
    std::fs::rename(&store, &away).unwrap();
    std::fs::create_dir(&store).unwrap();
    let reads =
        [format!("blobs/{layer}"), format!("manifests/{digest}"), "manifests/t".into(), "tags/list".into()];
    let lists = ["/v2/_catalog".to_owned(), format!("/v2/n/referrers/{digest}")];
    for path in reads.iter().map(|path| format!("/v2/n/{path}")).chain(lists) {
        refused(registry.send("GET", &path).await, 503, "UNAVAILABLE").await;
    }
    refused(registry.put_manifest("n", "u", OCI_MANIFEST, bytes).await, 503, "UNAVAILABLE").await;
    assert_eq!(files_below(&store), Vec::<String>::new());
    std::fs::remove_dir(&store).unwrap();
    std::fs::rename(&away, &store).unwrap();
    for path in &reads {
        assert_eq!(registry.status("GET", &format!("/v2/n/{path}")).await, 200);
    }
    refused(registry.send("GET", "/v2/n/manifests/never").await, 404, "MANIFEST_UNKNOWN").await;
}
