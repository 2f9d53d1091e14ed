//! Sections 9 and 15: who may do what.

use std::{os::unix::fs::symlink, path::Path};

use serde_json::json;

use crate::{
    client::Watch,
    fixture::{Fixture, OCI_INDEX, OCI_MANIFEST, eventually, header, refused, sha256},
};

/// A registry with two accounts, of which `ci` may pull only, and their file's folder.
pub async fn with_accounts(more: &str) -> (Fixture, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("htpasswd");
    let text = ["dev:{SHA}dR6xbZ1gQLunYuitWAujQx3sL88=", "ci:{SHA}dR6xbZ1gQLunYuitWAujQx3sL88=", "bad:plain"];
    std::fs::write(&path, text.join("\n")).unwrap();
    let config = format!("auth: {{htpasswd: {{path: '{}', pullonly: [ci]}}}}\n{more}", path.display());
    (Fixture::with(&config).await, folder)
}

// registry A1 A2 A4 A7 AU1 AU2
#[tokio::test]
async fn without_the_right_password_there_is_a_challenge() {
    let (registry, _folder) = with_accounts("").await;
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
    for password in [None, Some("secret-canary")] {
        let ask = async |method: &str| {
            let request = registry.request(method, "/v2/");
            let request = if password.is_some() { request.basic_auth("dev", password) } else { request };
            let response = request.header("x-request-id", "same").send().await.unwrap();
            let mut headers = response.headers().clone();
            headers.remove("date");
            (response.status(), headers, response.text().await.unwrap())
        };
        let (get, head) = (ask("GET").await, ask("HEAD").await);
        assert_eq!((&get.0, &get.1), (&head.0, &head.1));
        assert!(!get.2.is_empty() && head.2.is_empty());
    }
    for method in ["GET", "HEAD"] {
        let response =
            registry.request(method, "/v2/").basic_auth("dev", Some("secret-canary")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "docker-distribution-api-version"), "registry/2.0");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        assert_eq!(response.text().await.unwrap(), if method == "GET" { "{}" } else { "" });
    }
    for second in ["Basic x", "Bearer garbage", "Basic ZGV2OnNlY3JldC1jYW5hcnk="] {
        let twice = registry.request("GET", "/v2/").basic_auth("dev", Some("secret-canary"));
        let twice = twice.header("authorization", second).send().await.unwrap();
        assert_eq!(header(&twice, "www-authenticate"), "Basic realm=\"Registry\"");
        refused(twice, 401, "UNAUTHORIZED").await;
    }
}

// registry AU8 J2
#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let (registry, _folder) = with_accounts("").await;
    let login = async |user: &str, password: &str| {
        registry.request("GET", "/v2/").basic_auth(user, Some(password)).send().await.unwrap()
    };
    for _ in 0..20 {
        assert_eq!(login("dev", "wrong").await.status(), 401);
    }
    let slowed = login("dev", "secret-canary").await;
    assert_eq!(header(&slowed, "retry-after"), "60");
    refused(slowed, 429, "TOOMANYREQUESTS").await;
    assert_eq!(login("ci", "secret-canary").await.status(), 200);
    // Whoever has the account and sits elsewhere is not locked out.
    let elsewhere =
        reqwest::Client::builder().no_proxy().local_address(std::net::IpAddr::from([127, 0, 0, 2]));
    let url = format!("http://{}/v2/", registry.address);
    let there = elsewhere.watched().get(url).basic_auth("dev", Some("secret-canary"));
    assert_eq!(there.send().await.unwrap().status(), 200);
}

// registry A7
#[tokio::test]
async fn an_account_that_may_pull_only_does_not_write() {
    let (registry, _folder) = with_accounts("").await;
    let ask = async |user: &str, method: &str, path: &str| {
        registry.request(method, path).basic_auth(user, Some("secret-canary")).send().await.unwrap()
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

const SECRET: &str = "{SHA}dR6xbZ1gQLunYuitWAujQx3sL88=";
/// Of the password `other`.
const OTHER: &str = "{SHA}0JQeaNqPOBUf+Gph/Fn3xc+fyqI=";

/// Replaces a file in one step, as an editor does.
fn by_rename(folder: &Path, text: &str) {
    std::fs::write(folder.join("next"), text).unwrap();
    std::fs::rename(folder.join("next"), folder.join("htpasswd")).unwrap();
}

/// Replaces the folder behind the file's link in one step, as the kubelet does.
fn by_link(folder: &Path, text: &str) {
    let version = std::fs::read_dir(folder).unwrap().count().to_string();
    std::fs::create_dir(folder.join(&version)).unwrap();
    std::fs::write(folder.join(&version).join("htpasswd"), text).unwrap();
    symlink(&version, folder.join("next")).unwrap();
    std::fs::rename(folder.join("next"), folder.join("..data")).unwrap();
}

async fn follow(folder: &Path, replace: fn(&Path, &str)) {
    replace(folder, &format!("dev:{SECRET}\ngone:{SECRET}\n"));
    let config = format!("auth: {{htpasswd: {{path: '{}'}}}}", folder.join("htpasswd").display());
    let registry = Fixture::with(&config).await;
    let login = async |user: &str, password: &str| {
        let request = registry.request("GET", "/v2/").basic_auth(user, Some(password));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((login("dev", "secret-canary").await, login("gone", "secret-canary").await), (200, 200));
    // One is added, one is removed, and one gets another password.
    replace(folder, &format!("new:{SECRET}\ndev:{OTHER}\n"));
    eventually(async || login("new", "secret-canary").await == 200).await;
    assert_eq!((login("gone", "secret-canary").await, login("dev", "secret-canary").await), (401, 401));
    assert_eq!(login("dev", "other").await, 200);
    let errors = || registry.metric("registry_reload_errors_total{file=\"htpasswd\"}");
    for bad in ["garbage", "# nobody\n"] {
        let before = errors();
        replace(folder, bad);
        eventually(async || errors() > before).await;
        assert_eq!((login("dev", "other").await, login("new", "secret-canary").await), (200, 200));
    }
    replace(folder, &format!("dev:{SECRET}\n"));
    eventually(async || login("dev", "secret-canary").await == 200).await;
    assert_eq!((login("dev", "other").await, login("new", "secret-canary").await), (401, 401));
}

// registry AU5
#[tokio::test]
async fn accounts_follow_their_file() {
    let (renamed, linked) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    symlink("..data/htpasswd", linked.path().join("htpasswd")).unwrap();
    tokio::join!(follow(renamed.path(), by_rename), follow(linked.path(), by_link));
}

// registry LM5
#[tokio::test]
async fn read_only_is_switched_while_running() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.yml");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write("storage: {delete: {enabled: true}}\n");
    let registry = Fixture::with(&format!("live: {{path: '{}'}}", path.display())).await;
    let (digest, layer, bytes) = registry.push_image("n", "t").await;
    let location = registry.begin("n").await;
    write("storage: {delete: {enabled: true}, maintenance: {readonly: {enabled: true}}}\n");
    eventually(async || registry.status("PATCH", &location).await == 405).await;
    let errors = || registry.metric("registry_reload_errors_total{file=\"live\"}");
    let before = errors();
    write("storage: {maintenance: nonsense}\n");
    eventually(async || errors() > before).await;
    for (method, path) in [
        ("POST", "/v2/n/blobs/uploads/"),
        ("POST", &format!("/v2/n/blobs/uploads/?digest={}", sha256(b""))),
        ("POST", &format!("/v2/m/blobs/uploads/?mount={layer}&from=n")),
        ("PATCH", &location),
        ("PUT", &format!("{location}?digest={}", sha256(b""))),
        ("DELETE", &location),
        ("PUT", "/v2/n/manifests/t"),
        ("PUT", &format!("/v2/n/manifests/{digest}?tag=u")),
        ("DELETE", "/v2/n/manifests/t"),
        ("DELETE", &format!("/v2/n/manifests/{digest}")),
        ("DELETE", &format!("/v2/n/blobs/{layer}")),
    ] {
        let answer = registry.send(method, path).await;
        assert_eq!(header(&answer, "allow"), "GET, HEAD", "{method} {path}");
        refused(answer, 405, "UNSUPPORTED").await;
    }
    for path in ["manifests/t", "tags/list", &format!("blobs/{layer}"), &format!("referrers/{digest}")] {
        assert_eq!(registry.status("GET", &format!("/v2/n/{path}")).await, 200, "{path}");
        assert_eq!(registry.status("HEAD", &format!("/v2/n/{path}")).await, 200, "{path}");
    }
    assert_eq!(registry.status("GET", "/v2/_catalog").await, 200);
    assert_eq!(header(&registry.send("GET", &location).await, "range"), "0-0");
    write("storage: {delete: {enabled: true}}\n");
    eventually(async || registry.request("PATCH", &location).body("").send().await.unwrap().status() == 202)
        .await;
    assert_eq!(registry.status("PUT", &format!("{location}?digest={}", sha256(b""))).await, 201);
    assert_eq!(registry.put_manifest("n", "u", OCI_MANIFEST, bytes).await.status(), 201);
    assert_eq!(registry.status("DELETE", "/v2/n/manifests/t").await, 202);
}

// registry VL1 VL3, seed D14 N7
#[tokio::test]
async fn the_first_version_of_the_api_is_answered_without_a_challenge() {
    let (registry, _folder) = with_accounts("").await;
    for (method, body) in [("GET", "true"), ("HEAD", "")] {
        let pong = registry.send(method, "/v1/_ping").await;
        assert_eq!(pong.status(), 200);
        assert_eq!(header(&pong, "x-docker-registry-standalone"), "true");
        assert_eq!(header(&pong, "www-authenticate"), "");
        assert_eq!(pong.text().await.unwrap(), body);
    }
    refused(registry.send("PUT", "/v1/_ping").await, 405, "UNSUPPORTED").await;
    // Whatever a client sends along, that is no login.
    for login in ["Basic ZGV2Ondyb25n", "Basic !", "Bearer garbage", "Digest x"] {
        let ping = registry.request("GET", "/v1/_ping").header("authorization", login);
        assert_eq!(ping.header("authorization", "Basic eDp5").send().await.unwrap().status(), 200, "{login}");
    }
    for path in [
        "/v1",
        "/v1/",
        "/v1/_pingfoo",
        "/v1/_ping/",
        "/v1/searches?q=a",
        "/v1/repositories/n/tags",
        "/v1/images/x/json",
    ] {
        for method in ["GET", "PUT"] {
            let answer = registry.send(method, path).await;
            assert_eq!(header(&answer, "www-authenticate"), "", "{path}");
            let error = refused(answer, 404, "NAME_UNKNOWN").await;
            assert!(error["errors"][0]["message"].as_str().unwrap().contains("/v2/"), "{error}");
        }
    }
    refused(registry.send("GET", "/v1x/_ping").await, 401, "UNAUTHORIZED").await;
    std::fs::rename(registry.store(), registry.folder.path().join("away")).unwrap();
    // The answer of the last second is good enough.
    eventually(async || registry.status("GET", "/v1/_ping").await == 503).await;
    refused(registry.send("GET", "/v1/_ping").await, 503, "UNAVAILABLE").await;
}

// registry VL2, seed F3
#[tokio::test]
async fn repositories_are_searched_as_docker_and_podman_ask() {
    let (registry, _folder) = with_accounts("").await;
    let as_dev =
        |method: &str, path: &str| registry.request(method, path).basic_auth("dev", Some("secret-canary"));
    for name in ["team/busybox", "busy", "other/box", "a/bus/b"] {
        let path = format!("/v2/{name}/manifests/t");
        let index = r#"{"schemaVersion":2,"manifests":[]}"#;
        let put = as_dev("PUT", &path).header("content-type", OCI_INDEX).body(index);
        assert_eq!(put.send().await.unwrap().status(), 201);
    }
    // A folder that is no repository.
    std::fs::create_dir_all(registry.store().join("docker/registry/v2/repositories/bus-empty")).unwrap();
    let challenged = registry.send("GET", "/v1/search?q=bus&n=25").await;
    assert_eq!(header(&challenged, "www-authenticate"), "Basic realm=\"Registry\"");
    refused(challenged, 401, "UNAUTHORIZED").await;
    for (query, term, names) in [
        ("q=bus&n=25", "bus", vec!["a/bus/b", "busy", "team/busybox"]),
        ("q=BUS&n=2", "BUS", vec!["a/bus/b", "busy"]),
        ("q=team%2Fb", "team/b", vec!["team/busybox"]),
        ("q=nothing", "nothing", vec![]),
        ("n=1", "", vec!["a/bus/b"]),
    ] {
        let found = as_dev("GET", &format!("/v1/search?{query}")).send().await.unwrap();
        assert_eq!(
            (found.status().as_u16(), header(&found, "content-type").as_str()),
            (200, "application/json")
        );
        let found: serde_json::Value = found.json().await.unwrap();
        let results = found["results"].as_array().unwrap();
        assert_eq!(
            results.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(),
            names,
            "{query}"
        );
        assert_eq!((&found["query"], &found["num_results"]), (&json!(term), &json!(names.len())), "{query}");
        let plain = |one: &serde_json::Value| {
            (one["description"].as_str(), one["star_count"].as_u64(), one["is_official"].as_bool())
                == (Some(""), Some(0), Some(false))
        };
        assert!(results.iter().all(plain), "{found}");
    }
    refused(as_dev("GET", "/v1/search?q=a&n=x").send().await.unwrap(), 400, "UNSUPPORTED").await;
    refused(as_dev("POST", "/v1/search?q=a").send().await.unwrap(), 405, "UNSUPPORTED").await;
}
