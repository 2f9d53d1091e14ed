//! Section 15: how much a repository may hold.

use serde_json::json;

use crate::{
    access::with_accounts,
    fixture::{Fixture, OCI_INDEX, OCI_MANIFEST, image, refused, sha256},
};

const QUOTAS: &str = "storage: {delete: {enabled: true}}\nlog: {audit: {file: 'FOLDER/audit'}}\n\
                      quotas: [{repositories: ['team/**'], maxsize: 1000}, {repositories: ['**'], maxsize: 9000000}]\n";

async fn push(registry: &Fixture, name: &str, bytes: &[u8]) -> reqwest::Response {
    let path = format!("/v2/{name}/blobs/uploads/?digest={}", sha256(bytes));
    registry.request("POST", &path).body(bytes.to_vec()).send().await.unwrap()
}

/// The answer says how much there may be, and how much there is.
async fn is_over(response: reqwest::Response, used: u64) {
    let body = refused(response, 403, "DENIED").await;
    assert_eq!(body["errors"][0]["detail"], json!({ "limit": 1000, "used": used }));
}

// registry LM4
#[tokio::test]
async fn a_push_over_the_quota_is_denied_and_pulls_and_deletes_go_on() {
    let registry = Fixture::with(QUOTAS).await;
    let (first, second) = ([b'a'; 600], [b'b'; 400]);
    assert_eq!(push(&registry, "team/app", &first).await.status(), 201);
    is_over(push(&registry, "team/app", &[b'c'; 401]).await, 600).await;
    assert_eq!(push(&registry, "team/app", &second).await.status(), 201);
    is_over(push(&registry, "team/app", b"x").await, 1000).await;
    is_over(
        registry.put_manifest("team/app", "t", OCI_INDEX, r#"{"schemaVersion":2,"manifests":[]}"#).await,
        1000,
    )
    .await;
    // What is there already needs no room, and other repositories have theirs.
    assert_eq!(push(&registry, "team/other", &first).await.status(), 201);
    let mount = |digest: &str| format!("/v2/team/app/blobs/uploads/?mount={digest}&from=team/other");
    assert_eq!(registry.status("POST", &mount(&sha256(&first))).await, 201);
    let other = push(&registry, "team/other", b"other").await;
    assert_eq!(other.status(), 201);
    is_over(registry.send("POST", &mount(&sha256(b"other"))).await, 1000).await;
    let blob = format!("/v2/team/app/blobs/{}", sha256(&first));
    assert_eq!(registry.send("GET", &blob).await.bytes().await.unwrap(), first.as_slice());
    assert_eq!(registry.status("DELETE", &blob).await, 202);
    assert_eq!(push(&registry, "team/app", &[b'c'; 401]).await.status(), 201);
    is_over(push(&registry, "team/app", &[b'd'; 200]).await, 801).await;
    let audit = registry.audit();
    assert!(
        audit
            .lines()
            .last()
            .unwrap()
            .contains(r#""decision":"denied","status":403,"reason":"the repository has no room"#)
    );
}

// registry LM4
#[tokio::test]
async fn an_upload_that_has_no_room_ends_when_that_shows() {
    let registry = Fixture::with(QUOTAS).await;
    assert_eq!(push(&registry, "team/app", &[b'a'; 600]).await.status(), 201);
    let chunks = |bytes: usize| {
        let parts: Vec<_> = (0..bytes / 100).map(|_| Ok::<_, std::io::Error>(vec![b'z'; 100])).collect();
        reqwest::Body::wrap_stream(futures::stream::iter(parts))
    };
    // It says how long it is; it does not; and it says so in steps.
    let location = registry.begin("team/app").await;
    is_over(registry.request("PATCH", &location).body(vec![b'z'; 401]).send().await.unwrap(), 600).await;
    let location = registry.begin("team/app").await;
    is_over(registry.request("PATCH", &location).body(chunks(500)).send().await.unwrap(), 600).await;
    assert_eq!(registry.status("GET", &location).await, 404);
    let location = registry.begin("team/app").await;
    assert_eq!(registry.request("PATCH", &location).body(chunks(300)).send().await.unwrap().status(), 202);
    is_over(registry.request("PATCH", &location).body(vec![b'z'; 101]).send().await.unwrap(), 600).await;
    assert_eq!(
        registry.request("PATCH", &location).body(vec![b'z'; 100]).send().await.unwrap().status(),
        202
    );
    let finish = format!("{location}?digest={}", sha256(&[b'z'; 400]));
    assert_eq!(registry.status("PUT", &finish).await, 201);
    is_over(push(&registry, "team/app", b"x").await, 1000).await;
}

// registry LM4 C29
#[tokio::test]
async fn uploads_at_once_do_not_go_over_the_quota_together() {
    let registry = Fixture::with(QUOTAS).await;
    let pushes = (0..20u8).map(|i| {
        let (registry, bytes) = (&registry, [i; 300]);
        async move { push(registry, "team/app", &bytes).await.status().as_u16() }
    });
    let answers = futures::future::join_all(pushes).await;
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 3, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 403).count(), 17, "{answers:?}");
}

// registry LM4: what is counted are the links, so that nobody has to have counted along
#[tokio::test]
async fn what_was_there_before_counts_and_what_is_shared_counts_once() {
    let registry = Fixture::with("storage: {delete: {enabled: true}}").await;
    let config = registry.push_blob("team/app", &[b'c'; 300]).await;
    let manifest = image(&config, &[&config, &config], "");
    assert_eq!(registry.put_manifest("team/app", "t", OCI_MANIFEST, manifest.clone()).await.status(), 201);
    let used = 300 + manifest.len() as u64;
    let quotas = format!(
        "storage: {{filesystem: {{rootdirectory: '{}'}}}}\nquotas: [{{repositories: ['**'], maxsize: 1000}}]",
        registry.store().display()
    );
    let again = Fixture::with(&quotas).await;
    is_over(push(&again, "team/app", &[b'd'; 700]).await, used).await;
    let room = usize::try_from(1000 - used).unwrap();
    assert_eq!(push(&again, "team/app", &vec![b'd'; room]).await.status(), 201);
}

// registry LM4 A7
#[tokio::test]
async fn how_full_a_repository_is_is_not_for_who_may_not_push() {
    let rules = "access: [{subjects: ['user:dev'], repositories: ['**'], actions: [pull]}]";
    let (registry, _folder) = with_accounts(&format!("{QUOTAS}{rules}")).await;
    let request =
        registry.request("POST", "/v2/team/app/blobs/uploads/").basic_auth("dev", Some("secret-canary"));
    let body = refused(request.send().await.unwrap(), 403, "DENIED").await;
    assert!(body["errors"][0]["detail"].get("limit").is_none(), "{body}");
}
