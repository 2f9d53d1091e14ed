//! Section 15, J2: whoever is to wait is told for how long, wherever that is.

use jsonwebtoken::Algorithm;
use reqwest::Response;

use crate::{
    client::RequestBuilder,
    fixture::{Fixture, OCI_INDEX, header, refused, sha256},
    issuers::{Folder, Key},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// A registry with an account, which gives tokens as well.
async fn registry(folder: &Folder) -> Fixture {
    folder.write("htpasswd", "dev:{SHA}dR6xbZ1gQLunYuitWAujQx3sL88=\n");
    folder.write("key", &Key::new("", Algorithm::ES256).pair.serialize_pem());
    let at = |name: &str| folder.path(name).display().to_string();
    Fixture::with(&format!(
        "auth: {{htpasswd: {{path: '{}'}}, token: {{builtin: {{key: '{}'}}}}}}\n",
        at("htpasswd"),
        at("key")
    ))
    .await
}

/// Every way to show a password.
fn logins(registry: &Fixture, user: &str, password: &str) -> Vec<RequestBuilder> {
    let blob = format!("/v2/n/blobs/uploads/?digest={}", sha256(b"x"));
    let mut all: Vec<RequestBuilder> = [
        ("GET", "/v2/"),
        ("GET", "/v2/_catalog"),
        ("GET", "/v2/n/manifests/t"),
        ("PUT", "/v2/n/manifests/t"),
        ("DELETE", "/v2/n/manifests/t"),
        ("POST", &blob),
        ("GET", "/v1/search?q=a"),
        ("GET", "/"),
        ("GET", "/nowhere"),
        ("GET", "/token?scope=repository:n:pull"),
    ]
    .map(|(method, path)| {
        let request = registry.request(method, path).basic_auth(user, Some(password));
        let writes = ["PUT", "POST"].contains(&method);
        if writes { request.header("content-type", OCI_INDEX).body("x") } else { request }
    })
    .into();
    let form = format!("grant_type=password&username={user}&password={password}");
    all.push(registry.request("POST", "/token").header("content-type", FORM).body(form));
    all
}

/// It says how many seconds to wait, and the code that clients know.
async fn told_to_wait(answer: Response) {
    let seconds: u64 = header(&answer, "retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    refused(answer, 429, "TOOMANYREQUESTS").await;
}

// registry J2 AU8: too many wrong passwords for an account
#[tokio::test]
async fn whoever_has_guessed_too_often_is_told_when_to_come_back() {
    let folder = Folder::new();
    let registry = registry(&folder).await;
    for _ in 0..20 {
        let wrong = registry.request("GET", "/v2/").basic_auth("dev", Some("wrong"));
        refused(wrong.send().await.unwrap(), 401, "UNAUTHORIZED").await;
    }
    for login in logins(&registry, "dev", "secret-canary") {
        told_to_wait(login.send().await.unwrap()).await;
    }
    let head =
        registry.request("HEAD", "/v2/").basic_auth("dev", Some("secret-canary")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), header(&head, "retry-after").as_str()), (429, "60"));
}

// registry J2 AU8: too many from an address, for whatever accounts
#[tokio::test]
async fn an_address_that_has_guessed_too_often_is_told_when_to_come_back() {
    let folder = Folder::new();
    let registry = registry(&folder).await;
    for number in 0..200 {
        let wrong = registry.request("GET", "/v2/").basic_auth(format!("name{number}"), Some("wrong"));
        assert_eq!(wrong.send().await.unwrap().status(), 401);
    }
    for login in logins(&registry, "dev", "secret-canary") {
        told_to_wait(login.send().await.unwrap()).await;
    }
}
