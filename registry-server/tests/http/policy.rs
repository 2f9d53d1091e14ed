//! Section 9: who may do what in which repositories.

use crate::{
    access::with_accounts,
    fixture::{Fixture, OCI_INDEX, OCI_MANIFEST, eventually, header, image, refused, sha256},
};

const RULES: &str = "groups: {devs: [dev]}\naccess:\n\
    - {subjects: ['group:devs'], repositories: ['**'], actions: [pull, push, delete, list]}\n\
    - {subjects: ['user:dev'], repositories: ['team/sealed/**'], actions: [push, delete], effect: deny}\n\
    - {subjects: [anonymous], repositories: ['public/**'], actions: [pull, list]}\n\
    - {subjects: ['user:ci'], repositories: ['team/**'], actions: [pull, push]}\n";

/// Content of a repository, put there before there were rules.
async fn filled() -> (Fixture, [tempfile::TempDir; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live.yml");
    std::fs::write(&live, "storage: {delete: {enabled: true}}\n").unwrap();
    let (registry, accounts) = with_accounts(&format!("live: {{path: '{}'}}", live.display())).await;
    for name in ["public/app", "team/app", "team/sealed/app", "other"] {
        push(&registry, name).await;
    }
    std::fs::write(&live, format!("storage: {{delete: {{enabled: true}}}}\n{RULES}")).unwrap();
    eventually(async || registry.status("GET", "/v2/public/app/manifests/t").await == 200).await;
    (registry, [folder, accounts])
}

fn as_user(registry: &Fixture, user: &str, method: &str, path: &str) -> crate::client::RequestBuilder {
    let request = registry.request(method, path);
    if user.is_empty() { request } else { request.basic_auth(user, Some("secret-canary")) }
}

async fn push(registry: &Fixture, name: &str) {
    let config = sha256(b"{}");
    let blob = as_user(registry, "dev", "POST", &format!("/v2/{name}/blobs/uploads/?digest={config}"));
    assert_eq!(blob.body("{}").send().await.unwrap().status(), 201);
    let manifest = as_user(registry, "dev", "PUT", &format!("/v2/{name}/manifests/t"));
    let manifest = manifest.header("content-type", OCI_MANIFEST);
    assert_eq!(manifest.body(image(&config, &[], "")).send().await.unwrap().status(), 201);
}

// registry A2 A7 AU1 AU11 AU12
#[tokio::test]
async fn rules_decide_by_account_repository_and_action() {
    let (registry, _folders) = filled().await;
    let blob = format!("blobs/{}", sha256(b"{}"));
    for (user, method, path, status) in [
        ("", "GET", "/v2/", 401),
        ("dev", "GET", "/v2/", 200),
        ("", "GET", "/v2/public/app/manifests/t", 200),
        ("", "HEAD", &format!("/v2/public/app/{blob}"), 200),
        ("", "GET", "/v2/public/app/tags/list", 200),
        ("", "GET", "/v2/public/missing/tags/list", 404),
        ("", "GET", "/v2/team/app/manifests/t", 401),
        ("", "GET", "/v2/nowhere/manifests/t", 401),
        ("", "POST", "/v2/public/app/blobs/uploads/", 401),
        ("", "PUT", "/v2/public/app/manifests/u", 401),
        ("", "DELETE", "/v2/public/app/manifests/t", 401),
        ("", "DELETE", &format!("/v2/public/app/{blob}"), 401),
        ("", "GET", "/elsewhere", 401),
        ("", "GET", "/v2/BAD/tags/list", 401),
        ("ci", "GET", "/v2/team/app/manifests/t", 200),
        ("ci", "GET", "/v2/team/app/tags/list", 403),
        ("ci", "GET", "/v2/public/app/manifests/t", 403),
        ("ci", "GET", "/v2/nowhere/manifests/t", 403),
        // This account may pull only, whatever rules say.
        ("ci", "POST", "/v2/team/app/blobs/uploads/", 403),
        ("dev", "GET", "/v2/team/sealed/app/manifests/t", 200),
        ("dev", "POST", "/v2/team/sealed/app/blobs/uploads/", 403),
        ("dev", "DELETE", "/v2/team/sealed/app/manifests/t", 403),
        ("dev", "POST", "/v2/team/app/blobs/uploads/", 202),
    ] {
        let answer = as_user(&registry, user, method, path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{user:?} {method} {path}");
        let challenged = header(&answer, "www-authenticate") == "Basic realm=\"Registry\"";
        assert_eq!(challenged, status == 401, "{user:?} {method} {path}");
        if status == 403 {
            refused(answer, 403, "DENIED").await;
        }
    }
    // An empty name and password are no login; a wrong one is no anonymous visit.
    let path = "/v2/public/app/manifests/t";
    for (value, status) in [("Basic Og==", 200), ("Basic ZGV2Ondyb25n", 401), ("Bearer x", 401)] {
        let answer = registry.request("GET", path).header("authorization", value).send().await.unwrap();
        assert_eq!(answer.status(), status, "{value}");
    }
}

// registry A11 AU12 F12: lists and mounts show nothing of what one may not see
#[tokio::test]
async fn lists_and_mounts_obey_the_rules() {
    let (registry, folders) = filled().await;
    let text = async |user: &str, path: &str| {
        as_user(&registry, user, "GET", path).send().await.unwrap().text().await.unwrap()
    };
    assert_eq!(text("", "/v2/_catalog").await, r#"{"repositories":["public/app"]}"#);
    assert_eq!(text("ci", "/v2/_catalog").await, r#"{"repositories":[]}"#);
    assert!(text("dev", "/v2/_catalog?n=2").await.contains(r#"["other","public/app"]"#));
    pages_show_only_what_may_be_seen(&registry).await;
    assert!(text("", "/v1/search?q=app").await.contains(r#""num_results":1,"#));
    // What ci may not pull is not mounted, and looks as what is not there.
    let digest = sha256(b"only there");
    let there = format!("/v2/other/blobs/uploads/?digest={digest}");
    assert_eq!(
        as_user(&registry, "dev", "POST", &there).body("only there").send().await.unwrap().status(),
        201
    );
    let rules = "access: [{subjects: ['user:dev'], repositories: [mine], actions: [pull, push]}]\n";
    std::fs::write(folders[0].path().join("live.yml"), rules).unwrap();
    eventually(async || {
        as_user(&registry, "dev", "GET", "/v2/other/tags/list").send().await.unwrap().status() == 403
    })
    .await;
    for from in ["&from=other", "&from=missing", ""] {
        let mount = format!("/v2/mine/blobs/uploads/?mount={digest}{from}");
        let answer = as_user(&registry, "dev", "POST", &mount).send().await.unwrap();
        assert_eq!(answer.status(), 202, "{from}");
    }
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let put = as_user(&registry, "dev", "PUT", "/v2/mine/manifests/t").header("content-type", OCI_INDEX);
    assert_eq!(put.body(index).send().await.unwrap().status(), 201);
}

// registry VL2 AU11 F12: rights in a part, less a part of that
#[tokio::test]
async fn a_search_shows_by_name_what_one_may_list_and_no_more() {
    let (registry, folders) = filled().await;
    let rules = "access:\n\
        - {subjects: ['user:dev'], repositories: ['team/**'], actions: [pull, list]}\n\
        - {subjects: ['user:dev'], repositories: ['team/sealed/**'], actions: [list], effect: deny}\n";
    std::fs::write(folders[0].path().join("live.yml"), rules).unwrap();
    let search = async |query: &str| {
        let found = as_user(&registry, "dev", "GET", &format!("/v1/search{query}")).send().await.unwrap();
        let found: serde_json::Value = serde_json::from_str(&found.text().await.unwrap()).unwrap();
        let results = found["results"].as_array().unwrap().clone();
        assert_eq!(found["num_results"], results.len());
        results.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    eventually(async || search("").await == ["team/app"]).await;
    for query in ["?q=app", "?q=team", "?q=app&n=1", "?q=team%2Fapp", "?n=100"] {
        assert_eq!(search(query).await, ["team/app"], "{query}");
    }
    for query in ["?q=sealed", "?q=team%2Fsealed%2Fapp", "?q=public", "?q=other"] {
        assert_eq!(search(query).await, [""; 0], "{query}");
    }
}

// registry A11: what is there and forbidden is answered as what is not there
#[tokio::test]
async fn a_refusal_does_not_tell_what_is_there() {
    let (registry, folders) = filled().await;
    let digest = sha256(b"only there");
    let there = format!("/v2/other/blobs/uploads/?digest={digest}");
    assert_eq!(
        as_user(&registry, "dev", "POST", &there).body("only there").send().await.unwrap().status(),
        201
    );
    let rules = "storage: {delete: {enabled: true}}\n\
        access: [{subjects: ['user:dev'], repositories: [mine], actions: [pull, push, delete, list]}]\n";
    std::fs::write(folders[0].path().join("live.yml"), rules).unwrap();
    let tags = || as_user(&registry, "dev", "GET", "/v2/other/tags/list").send();
    eventually(async || tags().await.unwrap().status() == 403).await;
    let missing = sha256(b"nowhere");
    let blob = |repository: &str, digest: &str| format!("/v2/{repository}/blobs/{digest}");
    let manifest = |repository: &str, tag: &str| format!("/v2/{repository}/manifests/{tag}");
    let mount = |digest: &str, from: &str| format!("/v2/mine/blobs/uploads/?mount={digest}{from}");
    for (method, is, is_not) in [
        ("GET", blob("other", &digest), blob("other", &missing)),
        ("HEAD", blob("other", &digest), blob("nowhere", &digest)),
        ("DELETE", blob("other", &digest), blob("other", &missing)),
        ("GET", manifest("other", "t"), manifest("other", "u")),
        ("HEAD", manifest("other", "t"), manifest("nowhere", "t")),
        ("DELETE", manifest("other", "t"), manifest("other", "u")),
        ("GET", "/v2/other/tags/list".into(), "/v2/nowhere/tags/list".into()),
        ("GET", format!("/v2/other/referrers/{digest}"), format!("/v2/nowhere/referrers/{digest}")),
        ("POST", mount(&digest, "&from=other"), mount(&missing, "&from=other")),
        ("POST", mount(&digest, "&from=other"), mount(&digest, "&from=nowhere")),
        ("POST", mount(&digest, ""), mount(&missing, "")),
    ] {
        for user in ["", "dev"] {
            let [one, other] = [&is, &is_not].map(|path| as_user(&registry, user, method, path).send());
            let (one, other) =
                (seen(one.await.unwrap(), &is).await, seen(other.await.unwrap(), &is_not).await);
            assert_eq!(one, other, "{user:?} {method} {is} {is_not}");
        }
    }
}

/// The answer without what is of this request: what was asked for, and ids.
async fn seen(answer: reqwest::Response, path: &str) -> String {
    let own = ["x-request-id", "date", "content-length"];
    let head = answer.headers().iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let head: Vec<_> = head.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    let upload = header(&answer, "docker-upload-uuid");
    let text = format!("{} {} ", answer.status(), head.join(" ")) + &answer.text().await.unwrap();
    let parts: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
    let reference = format!("\"reference\":\"{}\"", parts[4]);
    let text = text.replace(&reference, "REFERENCE").replace(&format!("\"{}\"", parts[2]), "NAME");
    if upload.is_empty() { text } else { text.replace(&upload, "UPLOAD") }
}

/// Pages of two, followed to the end, by somebody who may see less than half. Where the next page begins shows no other
/// name, either.
async fn pages_show_only_what_may_be_seen(registry: &Fixture) {
    for name in ["public/b", "public/c", "public/d/e", "public-not", "sealed"] {
        push(registry, name).await;
    }
    let (mut seen, mut next) = (Vec::new(), "/v2/_catalog?n=2".to_owned());
    while !next.is_empty() {
        let page = registry.send("GET", &next).await;
        let link = header(&page, "link");
        next = link.strip_prefix('<').and_then(|rest| rest.split('>').next()).unwrap_or_default().to_owned();
        assert!(next.is_empty() || next.contains("last=public/"), "{link}");
        let page: serde_json::Value = serde_json::from_str(&page.text().await.unwrap()).unwrap();
        let page: Vec<String> = serde_json::from_value(page["repositories"].clone()).unwrap();
        assert!(page.len() == 2 || next.is_empty(), "{page:?}");
        seen.extend(page);
    }
    assert_eq!(seen, ["public/app", "public/b", "public/c", "public/d/e"]);
}

#[tokio::test]
async fn rules_without_accounts_are_refused_at_the_start() {
    let text = "access: [{subjects: [anonymous], repositories: ['**'], actions: [pull]}]\n";
    let mut config = registry_config::schema::Config::from_yaml("test", text, []).unwrap();
    config.http.addr = "127.0.0.1:0".into();
    let error = registry_server::app::Server::start(&config, &Vec::new()).await.err().unwrap();
    assert!(error.to_string().contains("rules need accounts"), "{error}");
}
