//! Sections 9 and 15: who may do what.

use crate::fixture::{Fixture, eventually, header, refused, sha256};

async fn with_accounts() -> (Fixture, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("htpasswd");
    let text = ["dev:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "ci:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "bad:plain"];
    std::fs::write(&path, text.join("\n")).unwrap();
    let config = format!("auth: {{htpasswd: {{path: '{}', pullonly: [ci]}}}}", path.display());
    (Fixture::with(&config).await, folder)
}

// registry A1 A2 A4 A7 AU1 AU2
#[tokio::test]
async fn without_the_right_password_there_is_a_challenge() {
    let (registry, _folder) = with_accounts().await;
    for value in [
        "",
        "Basic Og==",
        "Token x",
        "Bearer garbage",
        "Basic !!!",
        "Basic ZGV2Ondyb25n",
        "Basic eDp5",
        "Basic YmFkOnBsYWlu",
    ] {
        for path in ["/v2/", "/v2/n/tags/list", "/v2/BAD/tags/list", "/elsewhere"] {
            let mut request = registry.request("GET", path);
            if !value.is_empty() {
                request = request.header("authorization", value);
            }
            let response = request.send().await.unwrap();
            assert_eq!(header(&response, "www-authenticate"), "Basic realm=\"Registry\"");
            refused(response, 401, "UNAUTHORIZED").await;
        }
    }
    for method in ["GET", "HEAD"] {
        let response =
            registry.request(method, "/v2/").basic_auth("dev", Some("secret")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "docker-distribution-api-version"), "registry/2.0");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        assert_eq!(response.text().await.unwrap(), if method == "GET" { "{}" } else { "" });
    }
    let twice =
        registry.request("GET", "/v2/").basic_auth("dev", Some("secret")).header("authorization", "Basic x");
    assert_eq!(twice.send().await.unwrap().status(), 401);
}

// registry AU8 J2
#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let (registry, _folder) = with_accounts().await;
    let login = async |user: &str, password: &str| {
        registry.request("GET", "/v2/").basic_auth(user, Some(password)).send().await.unwrap()
    };
    for _ in 0..20 {
        assert_eq!(login("dev", "wrong").await.status(), 401);
    }
    let slowed = login("dev", "secret").await;
    assert_eq!(header(&slowed, "retry-after"), "60");
    refused(slowed, 429, "TOOMANYREQUESTS").await;
    assert_eq!(login("ci", "secret").await.status(), 200);
}

// registry A7
#[tokio::test]
async fn an_account_that_may_pull_only_does_not_write() {
    let (registry, _folder) = with_accounts().await;
    let ask = async |user: &str, method: &str, path: &str| {
        registry.request(method, path).basic_auth(user, Some("secret")).send().await.unwrap()
    };
    let blob = format!("/v2/n/blobs/uploads/?digest={}", sha256(b""));
    assert_eq!(ask("dev", "POST", &blob).await.status(), 201);
    assert_eq!(ask("ci", "GET", "/v2/n/tags/list").await.status(), 200);
    let digest = sha256(b"");
    for (method, path) in [
        ("POST", blob.as_str()),
        ("PUT", "/v2/n/manifests/t"),
        ("DELETE", "/v2/n/manifests/t"),
        ("DELETE", &format!("/v2/n/blobs/{digest}")),
        ("PATCH", "/v2/n/blobs/uploads/00000000-0000-4000-8000-000000000000"),
    ] {
        refused(ask("ci", method, path).await, 403, "DENIED").await;
    }
}

// registry G7 LM5
#[tokio::test]
async fn switched_off_writes_and_deletes_are_refused() {
    let registry = Fixture::with("storage: {delete: {enabled: false}}").await;
    let (digest, layer, _) = registry.push_image("n", "t").await;
    for path in [format!("manifests/{digest}"), "manifests/t".into(), format!("blobs/{layer}")] {
        let response = registry.send("DELETE", &format!("/v2/n/{path}")).await;
        assert_eq!(header(&response, "allow"), "GET, HEAD");
        refused(response, 405, "UNSUPPORTED").await;
    }
    let location = registry.begin("n").await;
    assert_eq!(registry.status("DELETE", &location).await, 204);

    let registry = Fixture::with("storage: {maintenance: {readonly: {enabled: true}}}").await;
    refused(registry.send("POST", "/v2/n/blobs/uploads/").await, 405, "UNSUPPORTED").await;
    refused(registry.send("PUT", "/v2/n/manifests/t").await, 405, "UNSUPPORTED").await;
    assert_eq!(registry.status("GET", "/v2/_catalog").await, 200);
}

// registry AU5
#[tokio::test]
async fn accounts_follow_their_file() {
    let (registry, folder) = with_accounts().await;
    let path = folder.path().join("htpasswd");
    let login = async |user: &str| {
        registry
            .request("GET", "/v2/")
            .basic_auth(user, Some("secret"))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    let replace = |text: &str| {
        let next = folder.path().join("next");
        std::fs::write(&next, text).unwrap();
        std::fs::rename(&next, &path).unwrap();
    };
    assert_eq!((login("dev").await, login("new").await), (200, 401));
    replace("new:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
    eventually(async || login("new").await == 200).await;
    assert_eq!(login("dev").await, 401);
    let errors = || registry.metric("registry_reload_errors_total{file=\"htpasswd\"}");
    let before = errors();
    replace("garbage");
    eventually(async || errors() > before).await;
    assert_eq!((login("dev").await, login("new").await), (401, 200));
    replace("dev:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
    eventually(async || login("dev").await == 200).await;
}

// registry LM5
#[tokio::test]
async fn read_only_is_switched_while_running() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.yml");
    std::fs::write(&path, "version: 0.1\n").unwrap();
    let registry = Fixture::with(&format!("live: {{path: '{}'}}", path.display())).await;
    let location = registry.begin("n").await;
    std::fs::write(&path, "storage: {maintenance: {readonly: {enabled: true}}}\n").unwrap();
    eventually(async || registry.status("PATCH", &location).await == 405).await;
    let errors = || registry.metric("registry_reload_errors_total{file=\"live\"}");
    let before = errors();
    std::fs::write(&path, "storage: {maintenance: nonsense}\n").unwrap();
    eventually(async || errors() > before).await;
    refused(registry.send("POST", "/v2/n/blobs/uploads/").await, 405, "UNSUPPORTED").await;
}
