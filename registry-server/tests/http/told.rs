//! Sections 13 and 17: what is told beside the answer.

use reqwest::Response;

use crate::{
    access::with_accounts,
    fixture::{Fixture, header, refused},
};

fn warnings(response: &Response) -> Vec<String> {
    response.headers().get_all("warning").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

// registry VL4
#[tokio::test]
async fn the_banner_is_for_who_may_come_in() {
    let version = format!("registry-server {}\n", env!("CARGO_PKG_VERSION"));
    let (registry, _folder) = with_accounts("").await;
    let ask = async |method: &str, login: Option<(&str, &str)>| {
        let request = registry.request(method, "/");
        let request = login.into_iter().fold(request, |r, (user, word)| r.basic_auth(user, Some(word)));
        request.send().await.unwrap()
    };
    for login in [None, Some(("dev", "wrong")), Some(("", ""))] {
        let same = registry.send("GET", "/v2/").await;
        let answer = ask("GET", login).await;
        assert_eq!(header(&answer, "www-authenticate"), header(&same, "www-authenticate"));
        let told = refused(answer, 401, "UNAUTHORIZED").await.to_string();
        assert!(!told.contains(env!("CARGO_PKG_VERSION")) && !told.contains("registry-server"), "{told}");
    }
    for user in ["dev", "ci"] {
        let answer = ask("GET", Some((user, "secret-canary"))).await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "content-type")),
            (200, "text/plain; charset=utf-8".into())
        );
        assert_eq!(answer.text().await.unwrap(), version);
    }
    let head = ask("HEAD", Some(("dev", "secret-canary"))).await;
    assert_eq!(header(&head, "content-length"), version.len().to_string());
    refused(ask("PUT", Some(("dev", "secret-canary"))).await, 405, "UNSUPPORTED").await;
    let open = Fixture::new().await;
    assert_eq!(open.send("GET", "/").await.text().await.unwrap(), version);
}

const TEXTS: &str = r#"
warnings:
  - {text: 'moves to "r.example.com" \ on Friday'}
  - {text: frozen, repositories: ["old/**"]}
"#;

// registry J3
#[tokio::test]
async fn warnings_are_sent_as_clients_read_them() {
    let registry = Fixture::with(TEXTS).await;
    let everywhere = r#"299 - "moves to \"r.example.com\" \\ on Friday""#;
    registry.push_image("old/app", "t").await;
    for (method, path, status, frozen) in [
        ("GET", "/v2/", 200, false),
        ("GET", "/v2/_catalog", 200, false),
        ("GET", "/v2/new/manifests/t", 404, false),
        ("GET", "/v2/old/app/manifests/t", 200, true),
        ("HEAD", "/v2/old/app/manifests/t", 200, true),
        ("POST", "/v2/old/app/blobs/uploads/", 202, true),
    ] {
        let answer = registry.send(method, path).await;
        assert_eq!(answer.status(), status, "{path}");
        let expected: Vec<_> =
            [everywhere].into_iter().chain(frozen.then_some(r#"299 - "frozen""#)).collect();
        assert_eq!(warnings(&answer), expected, "{path}");
    }
    for path in ["/v1/_ping", "/", "/elsewhere"] {
        assert_eq!(warnings(&registry.send("GET", path).await), [""; 0], "{path}");
    }
}

// registry J3 A7
#[tokio::test]
async fn warnings_are_not_for_who_may_not_look() {
    let rules = "access: [{subjects: ['user:dev'], repositories: ['old/**'], actions: [pull, list]}]";
    let (registry, _folder) = with_accounts(&format!("{TEXTS}\n{rules}")).await;
    for (user, status, told) in [("", 401, 0), ("ci", 403, 0), ("dev", 404, 2)] {
        let request = registry.request("GET", "/v2/old/app/tags/list");
        let request = if user.is_empty() { request } else { request.basic_auth(user, Some("secret-canary")) };
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), warnings(&answer).len()), (status, told), "{user}");
    }
}

// registry J3 A7
#[tokio::test]
async fn warnings_are_not_for_strangers_whose_request_is_refused_for_its_form() {
    let (registry, _folder) = with_accounts(TEXTS).await;
    let crowded = (0..101).fold(registry.request("GET", "/v2/old/app/tags/list"), |request, i| {
        request.header(format!("x-{i}"), "x")
    });
    let answer = crowded.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), warnings(&answer)), (431, vec![]));
}

// registry J3: whoever may push learns why nothing is taken any more
#[tokio::test]
async fn warnings_are_sent_where_nobody_may_write() {
    let readonly = "storage: {maintenance: {readonly: {enabled: true}}}";
    let registry = Fixture::with(&format!("{TEXTS}\n{readonly}")).await;
    let answer = registry.send("POST", "/v2/old/app/blobs/uploads/").await;
    assert_eq!((answer.status().as_u16(), warnings(&answer).len()), (405, 2));
}
