//! What caches on the way are told.

use crate::{
    access::with_accounts,
    fixture::{Fixture, OCI_INDEX, header, sha256},
};

const INDEX: &str = r#"{"schemaVersion":2,"manifests":[]}"#;
const FOR_EVER: &str = "max-age=31536000, immutable";

async fn told(registry: &Fixture, user: &str, method: &str, path: &str, more: [&str; 2]) -> (u16, String) {
    let request = registry.request(method, path).header(more[0], more[1]);
    let request = if user.is_empty() { request } else { request.basic_auth(user, Some("secret-canary")) };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), header(&answer, "cache-control"))
}

async fn fill(registry: &Fixture, user: &str) -> (String, String) {
    let put = async |method: &str, path: &str, body: &'static str| {
        let request = registry.request(method, path).header("content-type", OCI_INDEX).body(body);
        let request = if user.is_empty() { request } else { request.basic_auth(user, Some("secret-canary")) };
        assert_eq!(request.send().await.unwrap().status(), 201);
    };
    let blob = sha256(b"blob");
    put("POST", &format!("/v2/n/blobs/uploads/?digest={blob}"), "blob").await;
    put("PUT", "/v2/n/manifests/t", INDEX).await;
    (format!("/v2/n/blobs/{blob}"), format!("/v2/n/manifests/{}", sha256(INDEX.as_bytes())))
}

// seed B15, registry B19: what a digest names stays as it is; where one logs in it is nobody else's
#[tokio::test]
async fn content_may_be_kept_for_ever_and_names_of_it_not() {
    let (guarded, _folder) = with_accounts("").await;
    for (registry, user, kept) in
        [(Fixture::new().await, "", FOR_EVER.to_owned()), (guarded, "dev", format!("private, {FOR_EVER}"))]
    {
        let (blob, manifest) = fill(&registry, user).await;
        let none = ["x-none", ""];
        let etag = format!("\"{}\"", sha256(b"blob"));
        for (method, path, more, status, kept) in [
            ("GET", &*blob, none, 200, kept.as_str()),
            ("HEAD", &*blob, none, 200, &*kept),
            ("GET", &*blob, ["range", "bytes=1-2"], 206, &*kept),
            ("GET", &*blob, ["if-none-match", &*etag], 304, &*kept),
            ("GET", &*blob, ["range", "bytes=9-"], 416, ""),
            ("GET", &*manifest, none, 200, &*kept),
            ("GET", "/v2/n/manifests/t", none, 200, "no-cache"),
            ("HEAD", "/v2/n/manifests/t", none, 200, "no-cache"),
            ("GET", "/v2/n/tags/list", none, 200, "no-cache"),
            ("GET", "/v2/_catalog", none, 200, "no-cache"),
            ("GET", "/v2/n/manifests/missing", none, 404, ""),
            ("GET", "/v2/", none, 200, ""),
        ] {
            let got = told(&registry, user, method, path, more).await;
            assert_eq!(got, (status, kept.to_owned()), "{user:?} {method} {path} {more:?}");
        }
    }
}
