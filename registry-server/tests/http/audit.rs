//! Section 16: who did what.

use std::path::Path;

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    access::with_accounts,
    fixture::{Fixture, OCI_INDEX, eventually, sha256},
};

const INDEX: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

/// Every line so far.
fn lines(registry: &Fixture) -> Vec<Value> {
    let text = registry.audit();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The only line since the last look.
fn line(registry: &Fixture, seen: &mut usize) -> Value {
    let all = lines(registry);
    assert_eq!(all.len(), *seen + 1, "{all:#?}");
    *seen += 1;
    let line = all.last().unwrap().clone();
    assert!(line["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
    assert_eq!(line["address"], "127.0.0.1");
    line
}

/// The line has these fields with these values.
fn says(line: &Value, wanted: Value) {
    for (key, value) in wanted.as_object().unwrap() {
        assert_eq!(&line[key], value, "{key} of {line}");
    }
}

const RULES: &str = "log: {audit: {file: 'FOLDER/audit'}}\naccess:\n\
    - {subjects: [authenticated], repositories: ['**'], actions: [pull, push, delete, list]}\n\
    - {subjects: ['user:dev'], repositories: ['prod/**'], actions: [push], effect: deny}\n";

async fn ask(registry: &Fixture, user: &str, method: &str, path: &str, body: &str) -> u16 {
    let mut request = registry.request(method, path).header("content-type", OCI_INDEX);
    if !user.is_empty() {
        request = request.basic_auth(user, Some(if user == "ann" { "canary" } else { "secret-canary" }));
    }
    request.body(body.to_owned()).send().await.unwrap().status().as_u16()
}

// registry OB8
#[tokio::test]
async fn a_refused_push_is_told_with_who_what_where_and_which_rule() {
    let (registry, _folder) = with_accounts(RULES).await;
    let (mut seen, path) = (0, "/v2/prod/app/manifests/v1");
    assert_eq!(ask(&registry, "dev", "PUT", path, INDEX).await, 403);
    let refused = line(&registry, &mut seen);
    says(
        &refused,
        json!({ "user": "dev", "action": "push", "method": "PUT", "repository": "prod/app", "tags": ["v1"],
                "decision": "denied", "status": 403, "reason": "rule 2 of access denies it" }),
    );
    assert_eq!(ask(&registry, "ci", "PUT", path, INDEX).await, 403);
    let reason = json!({ "user": "ci", "decision": "denied", "reason": "this account may pull only" });
    says(&line(&registry, &mut seen), reason);
    assert_eq!(ask(&registry, "", "PUT", path, INDEX).await, 401);
    let reason = json!({ "user": "-", "decision": "denied", "reason": "authentication required" });
    says(&line(&registry, &mut seen), reason);
}

// registry OB8
#[tokio::test]
async fn what_was_pushed_and_deleted_is_told_with_digest_and_tags() {
    let (registry, _folder) = with_accounts(RULES).await;
    let (mut seen, digest, blob) = (0, sha256(INDEX.as_bytes()), sha256(b"blob"));
    assert_eq!(ask(&registry, "dev", "POST", "/v2/a/blobs/uploads/", "").await, 202);
    let done = json!({ "user": "dev", "action": "push", "repository": "a", "digest": blob, "decision": "allowed", "status": 201 });
    assert_eq!(
        ask(&registry, "dev", "POST", &format!("/v2/a/blobs/uploads/?digest={blob}"), "blob").await,
        201
    );
    says(&line(&registry, &mut seen), done);
    let mount = format!("/v2/b/blobs/uploads/?mount={blob}&from=a");
    assert_eq!(ask(&registry, "dev", "POST", &mount, "").await, 201);
    says(&line(&registry, &mut seen), json!({ "repository": "b", "from": "a", "digest": blob }));
    let mount = format!("/v2/c/blobs/uploads/?mount={blob}");
    assert_eq!(ask(&registry, "dev", "POST", &mount, "").await, 201);
    says(&line(&registry, &mut seen), json!({ "repository": "c", "from": "a", "digest": blob }));
    assert_eq!(ask(&registry, "dev", "PUT", "/v2/a/manifests/v1?tag=v1", INDEX).await, 201);
    says(
        &line(&registry, &mut seen),
        json!({ "digest": digest, "tags": ["v1", "v1"], "decision": "allowed" }),
    );
    assert_eq!(ask(&registry, "dev", "PUT", "/v2/a/manifests/v2", "{").await, 400);
    let failed = json!({ "tags": ["v2"], "decision": "failed", "status": 400 });
    says(&line(&registry, &mut seen), failed);
    assert_eq!(ask(&registry, "dev", "DELETE", "/v2/a/manifests/v1", "").await, 202);
    let deleted = json!({ "action": "delete", "digest": digest, "tags": ["v1"], "decision": "allowed" });
    says(&line(&registry, &mut seen), deleted);
    for tag in ["v3", "v4"] {
        assert_eq!(ask(&registry, "dev", "PUT", &format!("/v2/a/manifests/{tag}"), INDEX).await, 201);
        seen += 1;
    }
    assert_eq!(ask(&registry, "dev", "DELETE", &format!("/v2/a/manifests/{digest}"), "").await, 202);
    let deleted =
        json!({ "action": "delete", "digest": digest, "tags": ["v3", "v4"], "decision": "allowed" });
    says(&line(&registry, &mut seen), deleted);
}

// registry OB8: what is refused before anybody has looked who asks was not allowed
#[tokio::test]
async fn what_a_stranger_could_not_even_ask_is_told_as_refused() {
    let (registry, _folder) = with_accounts(RULES).await;
    let mut request = registry.request("DELETE", "/v2/prod/app/manifests/v1");
    for i in 0..101 {
        request = request.header(format!("x-{i}"), "x");
    }
    assert_eq!(request.send().await.unwrap().status(), 431);
    let refused = json!({ "user": "-", "action": "delete", "decision": "denied", "status": 431 });
    says(&line(&registry, &mut 0), refused);
}

// registry OB8: what is no tag is nothing that was pushed, and no text for a log
#[tokio::test]
async fn of_tags_that_are_none_nothing_is_told() {
    let (registry, _folder) = with_accounts(RULES).await;
    let path = "/v2/a/manifests/v1?tag=%C2%9B2J&tag=v2";
    assert_eq!(ask(&registry, "", "PUT", path, INDEX).await, 401);
    says(&line(&registry, &mut 0), json!({ "tags": ["v1", "v2"], "decision": "denied" }));
}

// registry OB8 A11: what may not be read is not mounted, and somebody has tried
#[tokio::test]
async fn a_refused_mount_is_told_whatever_the_request_led_to() {
    let deny = "- {subjects: ['user:dev'], repositories: [hidden], actions: [pull], effect: deny}\n";
    let (registry, _folder) = with_accounts(&format!("{RULES}{deny}")).await;
    let (mut seen, blob, sent) = (0, sha256(b"blob"), sha256(b"sent"));
    let mount = format!("/v2/a/blobs/uploads/?mount={blob}&from=hidden");
    let refused = |status: u16| {
        json!({ "user": "dev", "action": "push", "repository": "a", "from": "hidden", "digest": blob,
                "decision": "denied", "status": status, "reason": "no blob is mounted from where one may not pull" })
    };
    assert_eq!(ask(&registry, "dev", "POST", &mount, "").await, 202);
    says(&line(&registry, &mut seen), refused(202));
    assert_eq!(ask(&registry, "dev", "POST", &format!("{mount}&digest={sent}"), "sent").await, 201);
    let both = lines(&registry);
    assert_eq!(both.len(), seen + 2, "{both:#?}");
    says(&both[seen], refused(201));
    says(&both[seen + 1], json!({ "digest": sent, "decision": "allowed", "status": 201 }));
    assert_eq!(both[seen + 1].get("from"), None, "nothing was mounted");
    // Nor does a request hide it that comes to nothing.
    let wrong = format!("{mount}&digest={}", sha256(b"other"));
    assert_eq!(ask(&registry, "dev", "POST", &wrong, "sent").await, 400);
    let both = lines(&registry);
    assert_eq!(both.len(), seen + 4, "{both:#?}");
    says(&both[seen + 2], refused(400));
    assert_eq!(ask(&registry, "dev", "POST", &format!("{mount}&digest=x"), "").await, 400);
    says(&lines(&registry)[seen + 4], refused(400));
}

// registry OB8: a line says what was done, whatever else the request says
#[tokio::test]
async fn what_a_request_only_names_is_not_told_as_done() {
    let (registry, _folder) = with_accounts(RULES).await;
    let (mut seen, digest) = (0, sha256(INDEX.as_bytes()));
    assert_eq!(ask(&registry, "dev", "PUT", "/v2/a/manifests/v1?from=secret&mount=x", INDEX).await, 201);
    assert_eq!(line(&registry, &mut seen).get("from"), None);
    let tag = format!("/v2/a/manifests/v1?tag=release&digest={}", sha256(b"other"));
    assert_eq!(ask(&registry, "dev", "DELETE", &tag, "").await, 202);
    let told = line(&registry, &mut seen);
    assert_eq!((&told["tags"], &told["digest"]), (&json!(["v1"]), &json!(digest)), "{told}");
    let path = format!("/v2/a/manifests/{digest}?tag=release");
    assert_eq!(ask(&registry, "dev", "DELETE", &path, "").await, 202);
    let told = line(&registry, &mut seen);
    assert_eq!((told.get("tags"), &told["digest"]), (None, &json!(digest)), "{told}");
}

// registry OB8 OB6 AU8
#[tokio::test]
async fn a_login_that_failed_is_told_and_what_was_shown_is_not() {
    let (registry, _folder) = with_accounts(RULES).await;
    let mut seen = 0;
    let login = async |user: &str, password: &str| {
        let request = registry.request("GET", "/v2/").basic_auth(user, Some(password));
        request.header("x-request-id", "the-one").send().await.unwrap().status()
    };
    assert_eq!(login("dev", "canary").await, 401);
    says(
        &line(&registry, &mut seen),
        json!({ "user": "dev", "action": "login", "decision": "denied", "request_id": "the-one",
                "reason": "wrong password or unknown account" }),
    );
    // It may be a secret in the wrong place.
    assert_eq!(login("canary", "").await, 401);
    says(&line(&registry, &mut seen), json!({ "user": "-", "action": "login", "decision": "denied" }));
    let bearer = registry.request("GET", "/v2/a/tags/list?last=canary").bearer_auth("canary");
    assert_eq!(bearer.send().await.unwrap().status(), 401);
    says(&line(&registry, &mut seen), json!({ "user": "-", "action": "list", "decision": "denied" }));
    for _ in 0..19 {
        login("dev", "canary").await;
    }
    assert_eq!(login("dev", "secret-canary").await, 429);
    says(lines(&registry).last().unwrap(), json!({ "user": "dev", "decision": "denied", "status": 429 }));
    let text = registry.audit();
    assert!(!text.contains("canary") && !text.contains("secret-canary"), "{text}");
}

// registry OB8
#[tokio::test]
async fn reads_are_told_where_they_are_wanted() {
    for wanted in [false, true] {
        let rules = RULES.replace("audit'", &format!("audit', reads: {wanted}"));
        let (registry, _folder) = with_accounts(&rules).await;
        assert_eq!(ask(&registry, "dev", "PUT", "/v2/a/manifests/v1", INDEX).await, 201);
        let mut seen = 1;
        // Asking what is needed to log in is not refused, and logging in reads nothing.
        assert_eq!(ask(&registry, "", "GET", "/v2/", "").await, 401);
        assert_eq!(ask(&registry, "dev", "GET", "/v2/", "").await, 200);
        assert_eq!(ask(&registry, "ci", "GET", "/v2/a/manifests/v1", "").await, 200);
        let digest = sha256(INDEX.as_bytes());
        if wanted {
            let read = json!({ "user": "ci", "action": "pull", "digest": digest, "tags": ["v1"] });
            says(&line(&registry, &mut seen), read);
        }
        assert_eq!(ask(&registry, "ci", "GET", "/v2/a/tags/list", "").await, 200);
        if wanted {
            says(&line(&registry, &mut seen), json!({ "action": "list", "repository": "a" }));
        }
        assert_eq!(lines(&registry).len(), seen);
    }
}

// registry OB8
#[tokio::test]
async fn a_write_whose_client_left_is_told() {
    let (registry, _folder) = with_accounts(RULES).await;
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    let half = "PUT /v2/a/manifests/v1 HTTP/1.1\r\nhost: x\r\nauthorization: Basic ZGV2OnNlY3JldC1jYW5hcnk=\r\n\
                content-length: 100\r\n\r\n{";
    socket.write_all(half.as_bytes()).await.unwrap();
    drop(socket);
    eventually(async || !lines(&registry).is_empty()).await;
    let left = &lines(&registry)[0];
    says(left, json!({ "user": "dev", "action": "push", "repository": "a", "tags": ["v1"] }));
    assert_ne!(left["decision"], "allowed", "{left}");
}

// registry OB8 OB6
#[tokio::test]
async fn a_new_audit_log_is_its_owners_and_an_old_one_goes_on() {
    use std::os::unix::fs::PermissionsExt;
    let registry = Fixture::with("log: {audit: {file: 'FOLDER/audit'}}").await;
    let file = registry.folder.path().join("audit");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&file, "{}\n").unwrap();
    assert_eq!(registry.put_manifest("a", "v1", OCI_INDEX, INDEX).await.status(), 201);
    let all = lines(&registry);
    assert_eq!((all.len(), &all[0], &all[1]["user"]), (2, &json!({}), &json!("-")));
    assert!(Path::new(&file).exists());
}
