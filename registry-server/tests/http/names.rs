//! Section 2: routes and names.

use serde_json::json;

use crate::fixture::{Fixture, OCI_MANIFEST, files_below, refused, sha256};

const EMPTY: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

// registry E1 E2 E5
#[tokio::test]
async fn names_of_the_grammar_are_taken_and_others_store_nothing() {
    let registry = Fixture::new().await;
    for good in [
        "a__b",
        "a--b",
        "a---b",
        "a.b",
        "a_b",
        "0",
        "a/0b",
        "a/b/c/d/e/f/g/h/i/j",
        "foo/manifests/bar",
        "a/blobs/b",
    ] {
        assert_eq!(registry.put_manifest(good, "latest", INDEX, EMPTY).await.status(), 201, "{good}");
        assert_eq!(registry.status("GET", &format!("/v2/{good}/manifests/latest")).await, 200, "{good}");
        let digest = registry.push_blob(good, b"x").await;
        assert_eq!(registry.status("GET", &format!("/v2/{good}/blobs/{digest}")).await, 200, "{good}");
        assert_eq!(registry.status("GET", &format!("/v2/{good}/tags/list")).await, 200, "{good}");
    }
    let before = files_below(&registry.store());
    for bad in ["a___b", "a..b", "-a", "a-", "a/", "a//b", "A", "a.-b"] {
        let error = registry.put_manifest(bad, "latest", INDEX, EMPTY).await;
        let error = refused(error, 400, "NAME_INVALID").await;
        assert!(error["errors"][0]["detail"]["reason"].as_str().unwrap().contains(bad), "{error}");
        let post = registry.send("POST", &format!("/v2/{bad}/blobs/uploads/")).await;
        refused(post, 400, "NAME_INVALID").await;
    }
    assert_eq!(files_below(&registry.store()), before);
}

// registry E3
#[tokio::test]
async fn a_name_has_at_most_255_characters() {
    let registry = Fixture::new().await;
    let name = "a".repeat(255);
    assert_eq!(registry.put_manifest(&name, "t", INDEX, EMPTY).await.status(), 201);
    refused(registry.put_manifest(&format!("{name}a"), "t", INDEX, EMPTY).await, 400, "NAME_INVALID").await;
}

// registry E3, with an external host of 25 characters
#[tokio::test]
async fn a_name_leaves_room_for_the_host() {
    let registry = Fixture::with("http: {host: 'https://registry.example.com:5000/'}").await;
    let name = "a".repeat(255 - "registry.example.com:5000".len() - 1);
    assert_eq!(registry.put_manifest(&name, "t", INDEX, EMPTY).await.status(), 201);
    let longer = format!("{name}a");
    let error = refused(registry.put_manifest(&longer, "t", INDEX, EMPTY).await, 400, "NAME_INVALID").await;
    assert_eq!(error["errors"][0]["detail"], json!({"field": "name", "limit": name.len()}));
    refused(registry.send("POST", &format!("/v2/{longer}/blobs/uploads/")).await, 400, "NAME_INVALID").await;
    // What may be there from before can be asked for.
    refused(registry.send("GET", &format!("/v2/{longer}/manifests/t")).await, 404, "NAME_UNKNOWN").await;
}

// registry §3: code, message and detail
#[tokio::test]
async fn an_error_says_what_was_asked_and_nothing_secret() {
    let registry = Fixture::new().await;
    registry.push_image("team/app", "v1").await;
    let asked = |repository: &str, reference: &str| json!({"method": "GET", "repository": repository, "reference": reference});
    let (digest, upload) = (sha256(b"missing"), uuid::Uuid::nil().to_string());
    for (path, status, code, detail) in [
        ("team/app/manifests/v2", 404, "MANIFEST_UNKNOWN", asked("team/app", "v2")),
        (&format!("team/app/blobs/{digest}"), 404, "BLOB_UNKNOWN", asked("team/app", &digest)),
        (&format!("team/app/blobs/uploads/{upload}"), 404, "BLOB_UPLOAD_UNKNOWN", asked("team/app", &upload)),
        ("never/tags/list", 404, "NAME_UNKNOWN", json!({"method": "GET", "repository": "never"})),
        ("nowhere?token=canary", 404, "NAME_UNKNOWN", json!({"method": "GET", "path": "/v2/nowhere"})),
    ] {
        let request = registry.request("GET", &format!("/v2/{path}")).basic_auth("canary", Some("canary"));
        let error = refused(request.send().await.unwrap(), status, code).await;
        assert_eq!(error["errors"][0]["detail"], detail, "{path}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    let error = refused(registry.send("POST", "/v2/_catalog").await, 405, "UNSUPPORTED").await;
    assert_eq!(error["errors"][0]["detail"], json!({"method": "POST", "path": "/v2/_catalog"}));
}

// registry E7
#[tokio::test]
async fn paths_out_of_the_store_are_refused() {
    let registry = Fixture::new().await;
    for path in [
        "/v2/../../etc/passwd/manifests/x",
        "/v2/a/%2e%2e/b/manifests/x",
        "/v2/a//b/manifests/x",
        "/v2/a\\b/manifests/x",
        "/v2/a%00b/manifests/x",
    ] {
        let answer =
            registry.raw(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(answer.contains("content-type: application/json\r\n"), "{path}: {answer}");
        assert!(answer.contains("\r\n\r\n{\"errors\":[{\"code\":\"NAME_"), "{path}: {answer}");
    }
}

// registry E8
#[tokio::test]
async fn an_unknown_repository_is_told_from_an_unknown_manifest() {
    let registry = Fixture::new().await;
    registry.push_image("known", "t").await;
    refused(registry.send("GET", "/v2/never/manifests/latest").await, 404, "NAME_UNKNOWN").await;
    refused(registry.send("GET", "/v2/known/manifests/never").await, 404, "MANIFEST_UNKNOWN").await;
    refused(registry.send("GET", "/elsewhere").await, 404, "NAME_UNKNOWN").await;
    let response = registry.send("POST", "/v2/known/manifests/t").await;
    assert_eq!(response.headers()["allow"], "GET, HEAD, PUT, DELETE");
    refused(response, 405, "UNSUPPORTED").await;
}

// registry section 0 line 1: there is no other code for a tag
#[tokio::test]
async fn a_malformed_tag_is_an_invalid_name() {
    let registry = Fixture::new().await;
    let (_, _, image) = registry.push_image("known", "t").await;
    let (long, before) = ("a".repeat(129), files_below(&registry.store()));
    for bad in ["-bad", ".bad", "b%20d", "b@d", &long] {
        for method in ["GET", "PUT", "DELETE"] {
            let asked = registry.request(method, &format!("/v2/known/manifests/{bad}"));
            let asked = asked.header("content-type", OCI_MANIFEST).body(image.clone());
            let error = refused(asked.send().await.unwrap(), 400, "NAME_INVALID").await;
            let detail = &error["errors"][0]["detail"];
            assert_eq!(detail["field"], "reference", "{method} {bad}");
            let reason = detail["reason"].as_str().unwrap();
            assert!(reason.contains(&bad.replace("%20", " ")), "{method} {bad}: {reason}");
        }
        assert_eq!(registry.status("HEAD", &format!("/v2/known/manifests/{bad}")).await, 400, "{bad}");
    }
    assert_eq!(files_below(&registry.store()), before);
}

// the problem's details say which part of the request it is about
#[tokio::test]
async fn a_refusal_names_the_offending_field() {
    let registry = Fixture::new().await;
    let (digest, session) = (sha256(b"{}"), registry.begin("n").await);
    let one = |digest: &str| format!(r#"{{"mediaType":"a/b","digest":"{digest}","size":2}}"#);
    let image = |config: &str, layers: &str, more: &str| {
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layers}]{more}}}"#)
    };
    let (good, bad) = (one(&digest), one("sha256:bad"));
    let data = good.replace("}", r#","data":"W10="}"#);
    let put = "PUT /v2/n/manifests/t";
    for (request, range, body, key, field) in [
        ("PUT /v2/BAD/manifests/t", "", String::new(), "field", "name"),
        ("PUT /v2/n/manifests/-t", "", String::new(), "field", "reference"),
        ("GET /v2/n/blobs/sha256:bad", "", String::new(), "field", "digest"),
        ("GET /v2/n/tags/list?n=x", "", String::new(), "parameter", "n"),
        ("POST /v2/n/blobs/uploads/?mount=bad", "", String::new(), "parameter", "mount"),
        ("POST /v2/n/blobs/uploads/?digest=bad", "", String::new(), "parameter", "digest"),
        (
            "POST /v2/n/blobs/uploads/?digest-algorithm=md5",
            "",
            String::new(),
            "parameter",
            "digest-algorithm",
        ),
        (&format!("PUT {session}"), "", String::new(), "parameter", "digest"),
        (&format!("{put}?tag=a&tag=-b"), "", String::new(), "parameter", "tag"),
        (&format!("PATCH {session}"), "7-9", "abc".into(), "header", "Content-Range"),
        (&format!("PATCH {session}"), "0-9", "abc".into(), "header", "Content-Range"),
        (put, "", image(&good, "", "").replace(":2,", ":3,"), "field", "schemaVersion"),
        (put, "", image(&good, "", "").replace(":2,", ":[],"), "field", "schemaVersion"),
        (put, "", image(&good, "", r#","manifests":[]"#), "field", "layers"),
        (put, "", image("null", "", ""), "field", "config"),
        (put, "", image(&bad, "", ""), "field", "config.digest"),
        (put, "", image(&good, &format!("{good},{bad}"), ""), "field", "layers[1].digest"),
        (put, "", image(&good, &format!("{good},7"), ""), "field", "layers[1]"),
        (put, "", image(&good, r#"{"digest":"x"}"#, ""), "field", "layers[0]"),
        (put, "", image(&good, &data, ""), "field", "layers[0].data"),
        (put, "", image(&good, "", &format!(r#","subject":{bad}"#)), "field", "subject.digest"),
        (put, "", format!(r#"{{"schemaVersion":2,"manifests":[{bad}]}}"#), "field", "manifests[0].digest"),
    ] {
        let (method, path) = request.split_once(' ').unwrap();
        let mut asked = registry.request(method, path).body(body.clone());
        if !range.is_empty() {
            asked = asked.header("content-range", range);
        }
        let answer = asked.send().await.unwrap();
        assert!(answer.status().is_client_error(), "{request} {body}: {answer:?}");
        let error: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(error["errors"][0]["detail"][key], field, "{request} {body}: {error}");
    }
}
