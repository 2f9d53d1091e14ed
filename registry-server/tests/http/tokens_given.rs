//! Section 9: tokens that the registry gives itself.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use registry_config::schema::Config;
use registry_server::http::patience::Patience;
use reqwest::Response;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    fixture::{Fixture, eventually, header, refused},
    issuers::{Folder, Key, now, set, with},
};

const CLUSTER: &str = "https://kubernetes.default.svc";
const RULES: &str = "access:\n\
    - {subjects: ['user:dev'], repositories: ['team/**'], actions: [pull, push, list]}\n\
    - {subjects: ['user:ci'], repositories: ['**'], actions: [pull, push, delete, list]}\n\
    - {subjects: ['user:dev'], repositories: ['team/sealed'], actions: [push], effect: deny}\n\
    - {subjects: ['serviceaccount:prod/*'], repositories: ['team/**'], actions: [pull]}\n\
    - {subjects: ['group:oidc:forge:dev'], repositories: ['forge/**'], actions: [pull, push]}\n\
    - {subjects: ['oidc:forge:bad'], repositories: ['**'], actions: [push], effect: deny}\n\
    - {subjects: ['user:dev'], repositories: ['seen/**'], actions: [list]}\n\
    - {subjects: [anonymous], repositories: ['public/**'], actions: [pull]}\n";

fn configuration(folder: &Folder, more: &str) -> String {
    let at = |name: &str| folder.path(name).display().to_string();
    format!(
        "auth:\n  htpasswd: {{path: '{}', pullonly: [ci]}}\n  token: {{builtin: {{key: '{}', previous: '{}'{more}}}}}\n\
         serviceaccounts: {{issuer: '{CLUSTER}', audiences: [us], jwks: '{}'}}\n\
         oidc: [{{name: forge, issuer: 'https://forge', audiences: [us], jwks: '{}', groupsclaim: groups}}]\n",
        at("htpasswd"),
        at("key"),
        at("previous"),
        at("jwks"),
        at("jwks")
    )
}

/// A registry with two accounts, of which `ci` may pull only, that gives tokens signed by `key`.
async fn registry(folder: &Folder, key: &Key, more: &str, rules: &str) -> Fixture {
    prepare(folder, key);
    Fixture::with(&(configuration(folder, more) + rules)).await
}

fn prepare(folder: &Folder, key: &Key) {
    let hash = "{SHA}dR6xbZ1gQLunYuitWAujQx3sL88=";
    folder.write("htpasswd", &format!("dev:{hash}\nci:{hash}\n"));
    for name in ["key", "previous"] {
        folder.write(name, &key.pair.serialize_pem());
    }
    folder.write("jwks", &set(&[key]));
}

/// What is answered to whoever asks for a token with these scopes.
async fn ask(registry: &Fixture, user: &str, scopes: &[&str]) -> Response {
    let scopes: String = scopes.iter().map(|scope| format!("&scope={}", scope.replace(' ', "%20"))).collect();
    let request = registry.request("GET", &format!("/token?service=any&client_id=docker{scopes}"));
    let request = if user.is_empty() { request } else { request.basic_auth(user, Some("secret-canary")) };
    request.send().await.unwrap()
}

async fn document(response: Response) -> Value {
    assert_eq!((response.status().as_u16(), header(&response, "cache-control").as_str()), (200, "no-store"));
    let document: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(document["token"], document["access_token"]);
    document
}

async fn token(registry: &Fixture, user: &str, scopes: &[&str]) -> String {
    document(ask(registry, user, scopes).await).await["token"].as_str().unwrap().to_owned()
}

/// What the token says that it allows.
fn access(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims["access"].clone()
}

fn entry(name: &str, actions: &[&str]) -> Value {
    json!({ "type": if name == "catalog" { "registry" } else { "repository" }, "name": name, "actions": actions })
}

async fn status(registry: &Fixture, token: &str, method: &str, path: &str) -> u16 {
    registry.request(method, path).bearer_auth(token).send().await.unwrap().status().as_u16()
}

// registry A2 A5 A8: as a client goes that knows the registry's name, an account and nothing else
#[tokio::test]
async fn a_challenge_leads_to_a_token_that_opens_what_was_asked() {
    let folder = Folder::new();
    let registry = registry(&folder, &Key::new("", Algorithm::ES256), "", "").await;
    let host = registry.address.to_string();
    let asked = registry.send("POST", "/v2/team/app/blobs/uploads/").await;
    let challenge = format!(
        "Bearer realm=\"http://{host}/token\",service=\"{host}\",scope=\"repository:team/app:pull,push\""
    );
    assert_eq!(header(&asked, "www-authenticate"), challenge);
    refused(asked, 401, "UNAUTHORIZED").await;
    let given = document(ask(&registry, "dev", &["repository:team/app:pull,push"]).await).await;
    assert_eq!(given["expires_in"], 300);
    let issued: jiff::Timestamp = given["issued_at"].as_str().unwrap().parse().unwrap();
    assert!((issued.as_second() - now()).abs() < 5 && given.get("scope").is_none());
    let token = given["token"].as_str().unwrap();
    for (method, path, expected) in [
        ("GET", "/v2/", 200),
        ("POST", "/v2/team/app/blobs/uploads/", 202),
        ("GET", "/v2/team/app/manifests/t", 404),
        ("DELETE", "/v2/team/app/manifests/t", 401),
        ("GET", "/v2/other/manifests/t", 401),
        ("GET", "/v2/_catalog", 401),
    ] {
        assert_eq!(status(&registry, token, method, path).await, expected, "{method} {path}");
    }
    // A password does as well, and a token for a token does not.
    assert_eq!(
        registry
            .request("GET", "/v2/")
            .basic_auth("dev", Some("secret-canary"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(status(&registry, token, "GET", "/token").await, 401);
}

// registry A5 TL8: the realm leads to where the client has asked, and nobody but a known proxy says where that is
#[tokio::test]
async fn a_realm_follows_the_host_that_was_asked_and_what_known_proxies_say() {
    let folder = Folder::new();
    for trusted in [false, true] {
        let more = if trusted { "trustedproxies: [127.0.0.0/8]" } else { "trustedproxies: [192.0.2.0/24]" };
        let registry = registry(&folder, &Key::new("", Algorithm::ES256), "", more).await;
        let host = registry.address.to_string();
        let own = format!("http://{host}/token");
        let told = |realm: String| if trusted { realm } else { own.clone() };
        for (name, value, realm) in [
            ("x-forwarded-proto", "https", told(format!("https://{host}/token"))),
            ("x-forwarded-proto", "https, http", told(format!("https://{host}/token"))),
            ("x-forwarded-proto", "http,https", own.clone()),
            ("x-forwarded-host", "r.example.com:8443", told("http://r.example.com:8443/token".to_owned())),
            ("x-forwarded-host", "r.example.com, other", told("http://r.example.com/token".to_owned())),
            ("x-forwarded-host", "a\"b", own.clone()),
            ("host", "registry.example.com", "http://registry.example.com/token".to_owned()),
            ("host", "a\"b", "http://localhost/token".to_owned()),
            ("host", "a,realm=b", "http://localhost/token".to_owned()),
        ] {
            let asked = registry.request("GET", "/v2/").header(name, value).send().await.unwrap();
            let found = header(&asked, "www-authenticate");
            assert!(found.starts_with(&format!("Bearer realm=\"{realm}\",service=")), "{trusted}: {found}");
            assert_eq!(found.matches('"').count(), 4, "{found}");
        }
    }
}

// registry TL8: who has told at which address clients come by TLS needs no proxy that says so
#[tokio::test]
async fn a_realm_at_the_registrys_own_address_is_as_secure_as_that() {
    let folder = Folder::new();
    let host = "http: {host: 'https://registry.example.com/'}\n";
    let registry = registry(&folder, &Key::new("", Algorithm::ES256), "", host).await;
    for (host, realm) in [
        ("registry.example.com", "https://registry.example.com/token"),
        ("registry.example.com:5000", "http://registry.example.com:5000/token"),
        ("10.0.0.1", "http://10.0.0.1/token"),
    ] {
        let asked = registry.request("GET", "/v2/").header("host", host).send().await.unwrap();
        let found = header(&asked, "www-authenticate");
        assert!(found.starts_with(&format!("Bearer realm=\"{realm}\",service=")), "{found}");
    }
}

// registry A8 A11: as much of what is asked as the rules give
#[tokio::test]
async fn a_token_allows_what_was_asked_and_rules_allow() {
    let folder = Folder::new();
    let registry =
        registry(&folder, &Key::new("", Algorithm::ES256), ", lifetime: 1m, realm: 'https://r/t'", RULES)
            .await;
    assert!(
        header(&registry.send("GET", "/v2/").await, "www-authenticate")
            .starts_with("Bearer realm=\"https://r/t\"")
    );
    let both = ["repository:team/a:pull", "repository:team/b:pull,push"];
    let expected = json!([entry("team/a", &["pull"]), entry("team/b", &["pull", "push"])]);
    assert_eq!(access(&token(&registry, "dev", &both).await), expected);
    assert_eq!(access(&token(&registry, "dev", &[&both.join(" ")]).await), expected);
    for (user, scope, expected) in [
        ("dev", "repository:team/sealed:pull,push", json!([entry("team/sealed", &["pull"])])),
        ("dev", "repository:team/a:*", json!([entry("team/a", &["pull", "push"])])),
        ("dev", "repository(plugin):team/a:pull", json!([entry("team/a", &["pull"])])),
        ("dev", "repository:other:pull,push", json!([])),
        ("dev", "registry:catalog:*", json!([entry("catalog", &["*"])])),
        ("ci", "repository:other:pull,push,delete", json!([entry("other", &["pull"])])),
        ("", "repository:public/a:pull,push", json!([entry("public/a", &["pull"])])),
        ("", "repository:team/a:pull", json!([])),
        ("", "registry:catalog:*", json!([])),
        ("dev", "repository:team/a", json!([])),
        ("dev", "repository:team/A:pull", json!([])),
        ("dev", "repository:team/sealed:push,pull%0Bx:pull", json!([])),
        ("dev", "garbage", json!([])),
        ("dev", "registry:other:*", json!([])),
        ("dev", "", json!([])),
    ] {
        let given = document(ask(&registry, user, &[scope]).await).await;
        assert_eq!(given["expires_in"], 60);
        assert_eq!(access(given["token"].as_str().unwrap()), expected, "{user} {scope}");
    }
    // However much is asked for, a token can be sent.
    let same = ["repository:team/a:pull"; 200];
    assert_eq!(access(&token(&registry, "dev", &same).await), json!([entry("team/a", &["pull"])]));
    let many: String = (0..200).map(|i| format!("+repository:team/{}{i:03}:*", "x".repeat(240))).collect();
    let form = format!("grant_type=password&username=dev&password=secret-canary&scope={many}");
    let post = registry.request("POST", "/token").header("content-type", "application/x-www-form-urlencoded");
    let long = document(post.body(form).send().await.unwrap()).await["token"].as_str().unwrap().to_owned();
    assert_eq!(access(&long).as_array().unwrap().len(), 30);
    assert_eq!(status(&registry, &long, "GET", "/v2/").await, 200);
    // A token of nobody opens what is open, and rules hold when it is used.
    let nobody = token(&registry, "", &["repository:public/a:pull"]).await;
    assert_eq!(status(&registry, &nobody, "GET", "/v2/public/a/manifests/t").await, 404);
    // 401 where another token could help, and 403 where none could.
    let dev = token(&registry, "dev", &["repository:team/sealed:pull,push"]).await;
    let ci = token(&registry, "ci", &["repository:other:pull,push"]).await;
    for (token, method, path, expected) in [
        (&dev, "GET", "/v2/team/sealed/manifests/t", 404),
        (&dev, "POST", "/v2/team/sealed/blobs/uploads/", 403),
        (&dev, "POST", "/v2/team/a/blobs/uploads/", 401),
        (&dev, "GET", "/v2/other/manifests/t", 403),
        (&ci, "GET", "/v2/other/manifests/t", 404),
        (&ci, "POST", "/v2/other/blobs/uploads/", 403),
        (&ci, "GET", "/v2/team/a/manifests/t", 401),
        (&nobody, "GET", "/v2/team/a/manifests/t", 401),
        (&nobody, "POST", "/v2/public/a/blobs/uploads/", 401),
    ] {
        assert_eq!(status(&registry, token, method, path).await, expected, "{method} {path}");
    }
}

// registry A9
#[tokio::test]
async fn a_form_gets_a_token_or_is_told_to_ask_otherwise() {
    let folder = Folder::new();
    let registry = registry(&folder, &Key::new("", Algorithm::ES256), "", RULES).await;
    let kind = "application/x-www-form-urlencoded";
    let post = async |form: &str, kind: &str| {
        registry
            .request("POST", "/token")
            .header("content-type", kind)
            .body(form.to_owned())
            .send()
            .await
            .unwrap()
    };
    let login = "grant_type=password&username=dev&password=secret-canary&service=s&client_id=containerd";
    for (scope, granted) in [
        ("&scope=repository%3Ateam%2Fa%3Apull%2Cpush+repository:other:pull", "repository:team/a:pull,push"),
        (
            "&scope=repository:team/a:pull&scope=repository:team/b:pull",
            "repository:team/a:pull repository:team/b:pull",
        ),
        ("", ""),
    ] {
        let given = document(post(&format!("{login}{scope}"), kind).await).await;
        assert_eq!((&given["scope"], &given["expires_in"]), (&json!(granted), &json!(300)));
        assert_eq!(status(&registry, given["token"].as_str().unwrap(), "GET", "/v2/").await, 200);
    }
    let (long, plus) =
        (format!("{login}&x={}", "x".repeat(70_000)), login.replace("secret-canary", "secret%2Bcanary"));
    for (form, kind, expected) in [
        ("grant_type=refresh_token&refresh_token=x", kind, 400),
        ("grant_type=authorization_code", kind, 400),
        ("grant_type=password&username=dev", kind, 400),
        ("", kind, 400),
        (login, "application/json", 400),
        (&long, kind, 400),
        (&login.replace("secret-canary", "wrong"), kind, 401),
        (&plus, kind, 401),
    ] {
        let answer = post(form, kind).await;
        assert_eq!(
            header(&answer, "www-authenticate").starts_with("Basic realm="),
            expected == 401,
            "{form:.40}"
        );
        refused(answer, expected, if expected == 400 { "UNSUPPORTED" } else { "UNAUTHORIZED" }).await;
    }
    for (method, path) in [("PUT", "/token"), ("DELETE", "/token"), ("POST", "/token/keys")] {
        refused(registry.send(method, path).await, 405, "UNSUPPORTED").await;
    }
}

// registry AU8: passwords are guessed here as anywhere
#[tokio::test]
async fn guessing_is_stopped_where_tokens_are_given() {
    let folder = Folder::new();
    let registry = registry(&folder, &Key::new("", Algorithm::ES256), "", "").await;
    let login = async |password: &str| {
        let answer =
            registry.request("GET", "/token").basic_auth("dev", Some(password)).send().await.unwrap();
        assert!(!header(&answer, "www-authenticate").starts_with("Bearer"));
        answer.status().as_u16()
    };
    for _ in 0..20 {
        assert_eq!(login("wrong").await, 401);
    }
    assert_eq!(login("secret-canary").await, 429);
}

// registry AU9 AU10: whom others vouch for stays who it is, and no longer than they say
#[tokio::test]
async fn a_pod_gets_a_token_for_its_own() {
    let (folder, key) = (Folder::new(), Key::new("", Algorithm::ES256));
    let registry = registry(&folder, &key, "", RULES).await;
    let sub = "system:serviceaccount:prod:app";
    let claims = json!({ "iss": CLUSTER, "aud": "us", "sub": sub, "exp": now() + 90 });
    let exchange = async |claims: &Value| {
        let request = registry.request("GET", "/token?scope=repository:team/a:pull,push");
        request.basic_auth("any", Some(key.sign(claims))).send().await.unwrap()
    };
    let given = document(exchange(&claims).await).await;
    assert!((85..=90).contains(&given["expires_in"].as_i64().unwrap()), "{given}");
    let token = given["token"].as_str().unwrap();
    assert_eq!(access(token), json!([entry("team/a", &["pull"])]));
    assert_eq!(status(&registry, token, "GET", "/v2/team/a/manifests/t").await, 404);
    assert_eq!(exchange(&with(&claims, &json!({ "aud": "other" }))).await.status(), 401);
    // Groups are kept, and a token that could not be sent is not given.
    let user =
        json!({ "iss": "https://forge", "aud": "us", "sub": "ann", "exp": now() + 90, "groups": ["dev"] });
    let ask = async |claims: &Value| {
        let request = registry.request("GET", "/token?scope=repository:forge/a:pull,push");
        request.bearer_auth(key.sign(claims)).send().await.unwrap()
    };
    for (sub, actions) in [("ann", &["pull", "push"][..]), ("bad", &["pull"])] {
        let given = document(ask(&with(&user, &json!({ "sub": sub }))).await).await;
        let token = given["token"].as_str().unwrap();
        assert_eq!(access(token), json!([entry("forge/a", actions)]));
        let pushed = status(&registry, token, "POST", "/v2/forge/a/blobs/uploads/").await;
        assert_eq!(pushed, if sub == "ann" { 202 } else { 403 });
    }
    let groups: Vec<String> = (0..800).map(|i| format!("group-{i:05}")).collect();
    let long = refused(ask(&with(&user, &json!({ "groups": groups }))).await, 400, "UNSUPPORTED").await;
    assert!(long["errors"][0]["message"].as_str().unwrap().contains("too many groups"), "{long}");
    // Nor does the cluster's own key make tokens of ours.
    let cluster = Key::new("", Algorithm::ES256);
    folder.write("jwks", &set(&[&key, &cluster]));
    let known = async || {
        let request = registry.request("GET", "/v2/team/a/manifests/t").bearer_auth(cluster.sign(&claims));
        request.send().await.unwrap().status() == 404
    };
    eventually(known).await;
    let ours = jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims;
    let header = jsonwebtoken::Header::new(Algorithm::ES256);
    for (key, expected) in [(&cluster, 401), (&key, 200)] {
        assert_eq!(status(&registry, &key.sign_with(&header, &ours), "GET", "/v2/").await, expected);
    }
}

// registry A8 AU11: clients ask for pull where they want to list
#[tokio::test]
async fn who_may_list_and_not_pull_gets_a_token_for_that() {
    let (folder, key) = (Folder::new(), Key::new("", Algorithm::ES256));
    let registry = registry(&folder, &key, "", RULES).await;
    let token = token(&registry, "dev", &["repository:seen/a:pull"]).await;
    assert_eq!(access(&token), json!([entry("seen/a", &["list"])]));
    for (path, expected) in [("/v2/seen/a/tags/list", 404), ("/v2/seen/a/manifests/t", 403)] {
        assert_eq!(status(&registry, &token, "GET", path).await, expected, "{path}");
    }
    let nobody = self::token(&registry, "", &[]).await;
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(&nobody).unwrap().claims;
    assert_eq!(claims["sub"], "");
}

// registry AU9: a key is replaced while the tokens of the one before count
#[tokio::test]
async fn keys_for_tokens_change_with_an_overlap() {
    let (folder, old) = (Folder::new(), Key::new("", Algorithm::ES256));
    let new = Key::new("", Algorithm::ES256);
    let registry = registry(&folder, &old, "", "").await;
    let keys = async || {
        let text = registry.send("GET", "/token/keys").await.text().await.unwrap();
        assert!(!text.contains("\"d\""), "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["keys"].as_array().unwrap().len()
    };
    let before = token(&registry, "dev", &[]).await;
    assert_eq!((status(&registry, &before, "GET", "/v2/").await, keys().await), (200, 1));
    folder.write("key", &new.pair.serialize_pem());
    eventually(async || keys().await == 2).await;
    let after = token(&registry, "dev", &[]).await;
    for token in [&before, &after] {
        assert_eq!(status(&registry, token, "GET", "/v2/").await, 200);
    }
    folder.write("previous", &new.pair.serialize_pem());
    eventually(async || status(&registry, &before, "GET", "/v2/").await == 401).await;
    assert_eq!((status(&registry, &after, "GET", "/v2/").await, keys().await), (200, 1));
    // What is no key changes nothing.
    let errors = "registry_reload_errors_total{file=\"jwks\"}";
    let failed = registry.metric(errors);
    folder.write("key", &new.pair.public_key_pem());
    eventually(async || registry.metric(errors) > failed).await;
    assert_eq!(status(&registry, &token(&registry, "dev", &[]).await, "GET", "/v2/").await, 200);
}

// registry CF2
#[tokio::test]
async fn a_server_that_could_sign_nothing_does_not_start() {
    let (folder, key) = (Folder::new(), Key::new("", Algorithm::RS256));
    drop(registry(&folder, &Key::new("", Algorithm::ES256), "", "").await);
    for name in ["key", "previous"] {
        folder.write(name, &key.pair.serialize_pem());
    }
    let mut config = Config::from_yaml("test", &configuration(&folder, ""), []).unwrap();
    config.http.addr = "127.0.0.1:0".into();
    let error = registry_server::app::Server::start(&config, &Vec::new()).await.err().unwrap().to_string();
    for part in ["auth.token.builtin.key: ", "/key has no private key of the curve P-256", "openssl genpkey"]
    {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains("BEGIN"), "{error}");
}

#[tokio::test]
async fn where_no_tokens_are_given_there_is_no_such_path() {
    let registry = Fixture::new().await;
    for path in ["/token", "/token/keys"] {
        refused(registry.send("GET", path).await, 404, "NAME_UNKNOWN").await;
    }
}

// registry A5 LM3: who logs in by a form is not known yet, and does not keep a place by sending it slowly
#[tokio::test]
async fn a_form_that_takes_too_long_is_not_waited_for() {
    let (folder, key) = (Folder::new(), Key::new("", Algorithm::ES256));
    prepare(&folder, &key);
    let patience = Patience { form: Duration::from_secs(2), ..Patience::default() };
    let registry = Fixture::waiting(patience, &(configuration(&folder, "") + RULES)).await;
    let mut socket = TcpStream::connect(registry.address).await.unwrap();
    let head = "POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = socket.into_split();
    // It is never silent.
    let sending = async {
        for _ in 0..1000 {
            writing.write_all(b"x").await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let mut answer = vec![0; 12];
    tokio::select! {
        () = sending => panic!("all of it was waited for"),
        read = reading.read_exact(&mut answer) => drop(read.unwrap()),
    }
    assert_eq!(answer, b"HTTP/1.1 408");
    assert_eq!(registry.status("GET", "/token/keys").await, 200);
}
