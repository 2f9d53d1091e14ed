//! Section 10: clients that fetch blobs from the object store itself.

use http::StatusCode;
use reqwest::{Response, redirect::Policy};
use tempfile::NamedTempFile;

use crate::{
    client::Watch,
    fixture::{Fixture, files_below, header, refused, sha256},
    object_store::{ACCESS, BUCKET, ObjectStore, SECRET},
};

const ACCOUNT: (&str, &str) = ("dev", "password");

/// A file with the account.
fn accounts() -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, "dev:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=").unwrap();
    file
}

/// A registry with that account, in a bucket that clients reach.
async fn redirecting(store: &ObjectStore, accounts: &NamedTempFile, section: &str) -> Fixture {
    let keys = format!("secure: false, accesskey: {ACCESS}, secretkey: {SECRET}");
    let bucket =
        format!("{{region: us-east-1, bucket: {BUCKET}, regionendpoint: '{}', {keys}}}", store.address);
    Fixture::with(&format!(
        "storage: {{redirect: {section}, s3: {bucket}}}\nauth: {{htpasswd: {{realm: r, path: '{}'}}}}",
        accounts.path().display()
    ))
    .await
}

/// Asks, and goes nowhere else.
async fn ask(registry: &Fixture, method: &str, path: &str, range: Option<&str>) -> Response {
    let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).watched();
    let url = format!("http://{}{path}", registry.address);
    let request = client.request(method.parse().unwrap(), url).basic_auth(ACCOUNT.0, Some(ACCOUNT.1));
    let range = range.map(|range| ("range", range));
    range
        .into_iter()
        .fold(request, |request, (name, value)| request.header(name, value))
        .send()
        .await
        .unwrap()
}

async fn pushed(registry: &Fixture, bytes: &[u8]) -> String {
    let digest = sha256(bytes);
    let path = format!("/v2/n/blobs/uploads/?digest={digest}");
    let request = registry.request("POST", &path).basic_auth(ACCOUNT.0, Some(ACCOUNT.1));
    assert_eq!(request.body(bytes.to_vec()).send().await.unwrap().status(), 201);
    format!("/v2/n/blobs/{digest}")
}

// registry B20 A14
#[tokio::test]
async fn a_blob_is_fetched_from_the_bucket_without_the_clients_password() {
    let (store, accounts) = (ObjectStore::start().await, accounts());
    let registry = redirecting(&store, &accounts, "{expiry: 5m}").await;
    let blob = pushed(&registry, b"0123456789").await;
    let sent = ask(&registry, "GET", &blob, Some("bytes=2-4")).await;
    assert_eq!(sent.status(), StatusCode::TEMPORARY_REDIRECT);
    let url = header(&sent, "location");
    assert!(url.starts_with(&format!("http://{}/", store.address)), "{url}");
    assert!(url.contains("X-Amz-Expires=300"), "{url}");
    assert_eq!(header(&sent, "docker-content-digest"), sha256(b"0123456789"));
    let part = reqwest::Client::new().get(&url).header("range", "bytes=2-4").send().await.unwrap();
    assert_eq!((part.status(), part.text().await.unwrap().as_str()), (StatusCode::PARTIAL_CONTENT, "234"));
    let forged = url.replace("X-Amz-Expires=300", "X-Amz-Expires=3000");
    assert_eq!(reqwest::get(&forged).await.unwrap().status(), StatusCode::FORBIDDEN);
    // As clients do it.
    let followed =
        registry.request("GET", &blob).basic_auth(ACCOUNT.0, Some(ACCOUNT.1)).send().await.unwrap();
    assert_eq!(followed.text().await.unwrap(), "0123456789");
}

// registry B20
#[tokio::test]
async fn what_is_known_here_is_answered_here() {
    let (store, accounts) = (ObjectStore::start().await, accounts());
    let registry = redirecting(&store, &accounts, "{}").await;
    let blob = pushed(&registry, b"0123456789").await;
    let looked = ask(&registry, "HEAD", &blob, None).await;
    assert_eq!((looked.status(), header(&looked, "content-length").as_str()), (StatusCode::OK, "10"));
    assert_eq!(
        ask(&registry, "GET", &blob, Some("bytes=20-")).await.status(),
        StatusCode::RANGE_NOT_SATISFIABLE
    );
    let empty = pushed(&registry, b"").await;
    assert_eq!(ask(&registry, "GET", &empty, None).await.status(), StatusCode::OK);
    let missing = format!("/v2/n/blobs/{}", sha256(b"missing"));
    assert_eq!(ask(&registry, "GET", &missing, None).await.status(), StatusCode::NOT_FOUND);
    // What the store has, and this repository has not.
    assert_eq!(
        ask(&registry, "GET", &blob.replace("/n/", "/m/"), None).await.status(),
        StatusCode::NOT_FOUND
    );
    let denied = registry.send("GET", &blob).await;
    assert_eq!((denied.status(), header(&denied, "location").as_str()), (StatusCode::UNAUTHORIZED, ""));
}

// registry B20
#[tokio::test]
async fn clients_are_sent_where_they_reach_the_store_and_others_are_served() {
    let (store, accounts) = (ObjectStore::start().await, accounts());
    let registry = redirecting(&store, &accounts, "{publicendpoint: 'https://images.example.com'}").await;
    let blob = pushed(&registry, b"0123456789").await;
    let sent = ask(&registry, "GET", &blob, None).await;
    assert!(header(&sent, "location").starts_with("https://images.example.com/bucket/"), "{sent:?}");
    for section in ["{exceptfrom: [127.0.0.0/8]}", "{disable: true}"] {
        let registry = redirecting(&store, &accounts, section).await;
        let sent = ask(&registry, "GET", &blob, None).await;
        assert_eq!(sent.status(), StatusCode::OK, "{section}");
        assert_eq!(sent.text().await.unwrap(), "0123456789");
    }
    let registry = redirecting(&store, &accounts, "{exceptfrom: [10.0.0.0/8]}").await;
    assert_eq!(ask(&registry, "GET", &blob, None).await.status(), StatusCode::TEMPORARY_REDIRECT);
}

// registry B20 RC1: the store's own answer would be told by nobody here
#[tokio::test]
async fn nobody_is_sent_after_a_blob_that_only_the_cache_knows() {
    let (store, accounts) = (ObjectStore::start().await, accounts());
    let registry = redirecting(&store, &accounts, "{}, cache: {blobdescriptor: inmemory}").await;
    let blob = pushed(&registry, b"0123456789").await;
    assert_eq!(ask(&registry, "GET", &blob, None).await.status(), StatusCode::TEMPORARY_REDIRECT);
    let mut files = files_below(&store.bucket());
    files.retain(|file| std::fs::read(file).unwrap() == b"0123456789");
    assert!(!files.is_empty());
    for file in files {
        std::fs::remove_file(file).unwrap();
    }
    refused(ask(&registry, "GET", &blob, None).await, 404, "BLOB_UNKNOWN").await;
}
