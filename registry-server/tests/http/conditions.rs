//! `If-Match` and `If-None-Match` of requests that write.

use reqwest::Response;

use crate::fixture::{Fixture, OCI_INDEX, header, refused, sha256};

// registry H14
#[tokio::test]
async fn a_conditional_push_is_judged() {
    let registry = Fixture::new().await;
    let put = async |name: &str, value: &str, body: &str| {
        let request = registry.request("PUT", "/v2/n/manifests/t").header("content-type", OCI_INDEX);
        request.header(name, value).body(body.to_owned()).send().await.unwrap()
    };
    let (one, two) = (r#"{"schemaVersion":2,"manifests":[]}"#, r#"{"schemaVersion":2, "manifests":[]}"#);
    refused(put("if-match", "*", one).await, 412, "DENIED").await;
    assert_eq!(put("if-none-match", "*", one).await.status(), 201);
    refused(put("if-none-match", "*", two).await, 412, "DENIED").await;
    let get = async || registry.send("GET", "/v2/n/manifests/t").await;
    let tag = header(&get().await, "etag");
    assert_eq!(tag, format!("\"{}\"", sha256(one.as_bytes())));
    assert_eq!(put("if-match", &tag, two).await.status(), 201);
    refused(put("if-match", &tag, &format!("{one} ")).await, 412, "DENIED").await;
    assert_eq!(get().await.text().await.unwrap(), two);
    assert_eq!(
        registry.status("HEAD", &format!("/v2/n/manifests/{}", sha256(format!("{one} ").as_bytes()))).await,
        404
    );
    // Of two writers who have seen the same, one is first.
    let tag = header(&get().await, "etag");
    let (first, second) = (format!("{one}  "), format!("{one}   "));
    let (first, second) = tokio::join!(put("if-match", &tag, &first), put("if-match", &tag, &second));
    let mut statuses = [first.status().as_u16(), second.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412]);
    // Of many who are sure that they are first, one is.
    for round in 0..10 {
        let path = format!("/v2/n/manifests/new{round}");
        let first = |i: usize| {
            let request = registry.request("PUT", &path).header("content-type", OCI_INDEX);
            let body = format!(r#"{{"schemaVersion":2,"manifests":[]{}}}"#, " ".repeat(i));
            request.header("if-none-match", "*").body(body).send()
        };
        let answers = futures::future::join_all((0..8).map(first)).await;
        let won = answers.iter().filter(|answer| answer.as_ref().unwrap().status() == 201).count();
        assert_eq!(won, 1);
    }
}

/// An index that no other number gives.
fn index(number: usize) -> String {
    format!(r#"{{"schemaVersion":2,"manifests":[]}}{}"#, " ".repeat(number))
}

async fn push(registry: &Fixture, path: &str, condition: [&str; 2], number: usize) -> Response {
    let request = registry.request("PUT", path).header("content-type", OCI_INDEX);
    request.header(condition[0], condition[1]).body(index(number)).send().await.unwrap()
}

// registry H14 F13: what a push by digest sets are its tags, and its condition is about each of them
#[tokio::test]
async fn a_condition_of_a_push_by_digest_is_about_its_tags() {
    let registry = Fixture::new().await;
    registry.put_manifest("n", "taken", OCI_INDEX, index(0)).await;
    let digest = |number| sha256(index(number).as_bytes());
    let tags = |number, tags: &str| format!("/v2/n/manifests/{}{tags}", digest(number));
    let new = ["if-none-match", "*"];
    for refusing in ["?tag=taken", "?tag=free&tag=taken"] {
        refused(push(&registry, &tags(1, refusing), new, 1).await, 412, "DENIED").await;
        assert_eq!(registry.status("HEAD", &tags(1, "")).await, 404, "{refusing}");
    }
    assert_eq!(registry.status("HEAD", "/v2/n/manifests/free").await, 404);
    // The manifest is there, and its tag is new.
    assert_eq!(push(&registry, &tags(0, "?tag=free"), new, 0).await.status(), 201);
    let now = format!("\"{}\"", digest(0));
    let seen = ["if-match", now.as_str()];
    assert_eq!(push(&registry, &tags(1, "?tag=free&tag=taken"), seen, 1).await.status(), 201);
    refused(push(&registry, &tags(2, "?tag=free&tag=taken"), seen, 2).await, 412, "DENIED").await;
    // Without a tag it is about the manifest itself.
    refused(push(&registry, &tags(1, ""), new, 1).await, 412, "DENIED").await;
    assert_eq!(push(&registry, &tags(2, ""), new, 2).await.status(), 201);
}

// registry H14: a weak tag never matches what is to be replaced, and what cannot be read matches nothing
#[tokio::test]
async fn a_condition_that_nothing_meets_is_not_left_out() {
    let registry = Fixture::new().await;
    registry.put_manifest("n", "t", OCI_INDEX, index(0)).await;
    let weak = format!("W/\"{}\"", sha256(index(0).as_bytes()));
    for value in [&weak, "\"caf\u{e9}\"", "\"*\"", ""] {
        refused(push(&registry, "/v2/n/manifests/t", ["if-match", value], 1).await, 412, "DENIED").await;
    }
    refused(push(&registry, "/v2/n/manifests/t", ["if-none-match", &weak], 1).await, 412, "DENIED").await;
    assert_eq!(push(&registry, "/v2/n/manifests/t", ["if-none-match", "\"*\""], 1).await.status(), 201);
}

// registry H14 G1: what somebody else has changed meanwhile is not deleted
#[tokio::test]
async fn a_conditional_deletion_is_judged() {
    let registry = Fixture::new().await;
    let config = registry.push_blob("n", b"{}").await;
    for number in [0, 1] {
        registry.put_manifest("n", "t", OCI_INDEX, index(number)).await;
    }
    let [old, new] = [0, 1].map(|number| sha256(index(number).as_bytes()));
    let delete = async |path: &str, name: &str, value: &str| {
        registry.request("DELETE", path).header(name, format!("\"{value}\"")).send().await.unwrap()
    };
    let (tag, revision) = ("/v2/n/manifests/t", format!("/v2/n/manifests/{new}"));
    let blob = format!("/v2/n/blobs/{config}");
    for (path, is, is_not) in [(tag, &new, &old), (&revision, &new, &old), (&blob, &config, &old)] {
        refused(delete(path, "if-match", is_not).await, 412, "DENIED").await;
        refused(delete(path, "if-none-match", is).await, 412, "DENIED").await;
        assert_eq!(registry.status("HEAD", path).await, 200, "{path}");
        assert_eq!(delete(path, "if-match", is).await.status(), 202, "{path}");
        assert_eq!(delete(path, "if-match", is).await.status(), 404, "{path}");
    }
    // What would not be done anyhow is refused for that reason.
    let (digest, config, _) = registry.push_image("n", "a").await;
    for path in [format!("/v2/n/blobs/{config}"), format!("/v2/n/blobs/{digest}")] {
        let without = registry.status("DELETE", &path).await;
        assert_eq!(delete(&path, "if-match", &old).await.status(), without, "{path}");
        assert_ne!(without, 202);
    }
}
