//! Section 9: a token server says what may be done, as distribution's `auth.token`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{StreamExt, stream};
use jsonwebtoken::Algorithm;
use rcgen::CertificateParams;
use serde_json::{Value, json};

use crate::{
    fixture::{Fixture, OCI_INDEX, eventually, header, refused, sha256},
    issuers::{Folder, Key, forged, now, set, with},
};

const REALM: &str = "https://auth.example.com/token";
const INDEX: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

/// A registry of this token server, whose live file has these rules.
async fn registry(folder: &Folder, keys: &str, more: &str, live: &str) -> Fixture {
    folder.write("live.yml", &format!("storage: {{delete: {{enabled: true}}}}\n{live}"));
    let token = format!("{{realm: '{REALM}', service: us, issuer: auth, {keys}{more}}}");
    Fixture::with(&format!(
        "auth: {{token: {token}}}\nlive: {{path: '{}'}}\n",
        folder.path("live.yml").display()
    ))
    .await
}

fn jwks(folder: &Folder, key: &Key) -> String {
    folder.write("jwks", &set(&[key]));
    format!("jwks: '{}'", folder.path("jwks").display())
}

/// What the server says of `ann`, who may do this.
fn claims(access: &[(&str, &str)]) -> Value {
    let entry = |(name, actions): &(&str, &str)| {
        let kind = if *name == "catalog" { "registry" } else { "repository" };
        json!({ "type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>() })
    };
    let access: Vec<Value> = access.iter().map(entry).collect();
    json!({ "iss": "auth", "aud": "us", "sub": "ann", "exp": now() + 300, "nbf": now(), "access": access })
}

/// The challenge with this scope and this error.
fn challenge(scope: &str, error: &str) -> String {
    let part = |name: &str, value: &str| {
        if value.is_empty() { String::new() } else { format!(",{name}=\"{value}\"") }
    };
    format!("Bearer realm=\"{REALM}\",service=\"us\"{}{}", part("scope", scope), part("error", error))
}

// registry A2 A5 AU2
#[tokio::test]
async fn clients_are_told_where_to_get_a_token_and_for_what() {
    let (folder, key) = (Folder::new(), Key::new("k", Algorithm::ES256));
    let registry = registry(&folder, &jwks(&folder, &key), "", "").await;
    let digest = sha256(b"");
    for (method, path, scope) in [
        ("GET", "/v2/", ""),
        ("GET", "/elsewhere", ""),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
        ("PUT", "/v2/a/b/manifests/t", "repository:a/b:pull,push"),
        ("GET", "/v2/a/manifests/t", "repository:a:pull"),
        ("DELETE", "/v2/a/manifests/t", "repository:a:delete"),
        ("POST", "/v2/a/blobs/uploads/", "repository:a:pull,push"),
        (
            "POST",
            &format!("/v2/a/blobs/uploads/?mount={digest}&from=other"),
            "repository:a:pull,push repository:other:pull",
        ),
    ] {
        let asked = registry.send(method, path).await;
        assert_eq!(header(&asked, "www-authenticate"), challenge(scope, ""), "{method} {path}");
        refused(asked, 401, "UNAUTHORIZED").await;
        let other = forged(&json!({ "alg": "none" }), &claims(&[("a", "pull,push,delete")]), b"");
        for wrong in ["Bearer garbage", "Bearer", "Basic YTpi", "Token x", &format!("Bearer {other}")] {
            let asked = registry.request(method, path).header("authorization", wrong).send().await.unwrap();
            assert_eq!(
                header(&asked, "www-authenticate"),
                challenge(scope, "invalid_token"),
                "{method} {path}"
            );
            refused(asked, 401, "UNAUTHORIZED").await;
        }
    }
    // A token where it does not belong is none: it would stand in logs of everybody on the way.
    let token = key.sign(&claims(&[("a", "pull")]));
    assert_eq!(
        registry.status("GET", &format!("/v2/a/tags/list?access_token={token}&token={token}")).await,
        401
    );
}

// registry A6 A7
#[tokio::test]
async fn a_token_opens_what_it_names_and_clients_get_another_for_the_rest() {
    let (folder, key) = (Folder::new(), Key::new("k", Algorithm::RS256));
    let registry = registry(&folder, &jwks(&folder, &key), "", "").await;
    let ask = async |access: &[(&str, &str)], method: &str, path: &str| {
        let request = registry.request(method, path).bearer_auth(key.sign(&claims(access)));
        request
            .header("content-type", OCI_INDEX)
            .body(if method == "PUT" { INDEX } else { "" })
            .send()
            .await
            .unwrap()
    };
    let (push, all) = ([("a", "pull,push")], [("a", "*")]);
    for (access, method, path, status) in [
        (&[][..], "GET", "/v2/", 200),
        (&push, "PUT", "/v2/a/manifests/t", 201),
        (&push, "GET", "/v2/a/tags/list", 200),
        (&[("a", "pull")], "GET", "/v2/a/manifests/t", 200),
        (&[("catalog", "*")], "GET", "/v2/_catalog", 200),
        (&[("catalog", "*")], "GET", "/v1/search?q=a", 200),
        (&all, "PUT", "/v2/a/manifests/u", 201),
        (&all, "DELETE", "/v2/a/manifests/u", 202),
        (&[("a", "delete")], "DELETE", "/v2/a/manifests/t", 202),
    ] {
        assert_eq!(ask(access, method, path).await.status(), status, "{access:?} {method} {path}");
    }
    let listed = ask(&[("catalog", "*")], "GET", "/v2/_catalog").await.text().await.unwrap();
    assert_eq!(listed, r#"{"repositories":["a"]}"#);
    for (access, method, path, scope) in [
        (&[][..], "GET", "/v2/a/manifests/t", "repository:a:pull"),
        (&push, "GET", "/v2/b/manifests/t", "repository:b:pull"),
        (&push, "DELETE", "/v2/a/manifests/t", "repository:a:delete"),
        (&[("a", "pull")], "PUT", "/v2/a/manifests/t", "repository:a:pull,push"),
        (&[("a", "push")], "GET", "/v2/a/tags/list", "repository:a:pull"),
        (&all, "GET", "/v2/_catalog", "registry:catalog:*"),
        (&[("catalog", "pull")], "GET", "/v2/_catalog", "registry:catalog:*"),
        (&[("catalog", "*")], "GET", "/v2/a/tags/list", "repository:a:pull"),
        (
            &[("a", "pull")],
            "POST",
            "/v2/a/blobs/uploads/?mount=x&from=b",
            "repository:a:pull,push repository:b:pull",
        ),
    ] {
        let refusal = ask(access, method, path).await;
        assert_eq!(
            header(&refusal, "www-authenticate"),
            challenge(scope, "insufficient_scope"),
            "{method} {path}"
        );
        refused(refusal, 401, "UNAUTHORIZED").await;
    }
}

// registry A11: who may push here and not pull there begins an upload
#[tokio::test]
async fn a_mount_from_where_a_token_does_not_lead_is_an_upload() {
    let (folder, key) = (Folder::new(), Key::new("k", Algorithm::ES384));
    let registry = registry(&folder, &jwks(&folder, &key), "", "").await;
    let digest = sha256(b"there");
    let post = async |access: &[(&str, &str)], query: String, body: &'static str| {
        let name = if query.contains("mount") { "n" } else { "m" };
        let request = registry.request("POST", &format!("/v2/{name}/blobs/uploads/?{query}"));
        request.bearer_auth(key.sign(&claims(access))).body(body).send().await.unwrap().status()
    };
    assert_eq!(post(&[("m", "push")], format!("digest={digest}"), "there").await, 201);
    let push = ("n", "pull,push");
    for from in ["&from=m", "&from=nowhere", ""] {
        assert_eq!(post(&[push], format!("mount={digest}{from}"), "").await, 202, "{from}");
    }
    assert_eq!(post(&[push, ("m", "pull")], format!("mount={digest}&from=m"), "").await, 201);
}

// registry A6: a rule is not overcome by another token
#[tokio::test]
async fn rules_hold_for_whoever_has_a_token() {
    let (folder, key) = (Folder::new(), Key::new("k", Algorithm::EdDSA));
    let rules = "groups: {team: [ann]}\naccess:\n\
        - {subjects: ['group:team'], repositories: ['a'], actions: [pull, push, list]}\n\
        - {subjects: ['user:ann'], repositories: ['a/sealed'], actions: [push], effect: deny}\n\
        - {subjects: [authenticated], repositories: ['a/*'], actions: [pull, push]}\n\
        - {subjects: [anonymous], repositories: ['public'], actions: [pull]}\n";
    let registry = registry(&folder, &jwks(&folder, &key), "", rules).await;
    let everything = [("a", "*"), ("a/sealed", "*"), ("public", "*"), ("b", "*"), ("catalog", "*")];
    let of = |sub: &str| key.sign(&with(&claims(&everything), &json!({ "sub": sub })));
    for (token, method, path, status) in [
        (of("ann"), "GET", "/v2/a/manifests/t", 404),
        (of("ann"), "POST", "/v2/a/blobs/uploads/", 202),
        (of("ann"), "DELETE", "/v2/a/manifests/t", 403),
        (of("ann"), "POST", "/v2/a/sealed/blobs/uploads/", 403),
        (of("ann"), "GET", "/v2/b/manifests/t", 403),
        (of("bob"), "GET", "/v2/a/manifests/t", 403),
        (of("bob"), "POST", "/v2/a/sealed/blobs/uploads/", 202),
        (of(""), "GET", "/v2/public/manifests/t", 404),
        (of(""), "POST", "/v2/public/blobs/uploads/", 403),
        (of(""), "GET", "/v2/a/sealed/manifests/t", 403),
        (key.sign(&claims(&[("public", "push")])), "GET", "/v2/public/manifests/t", 401),
        (key.sign(&claims(&[])), "GET", "/v2/b/manifests/t", 401),
    ] {
        let asked = registry.request(method, path).bearer_auth(token).send().await.unwrap();
        assert_eq!(asked.status(), status, "{method} {path}");
    }
    assert_eq!(registry.status("GET", "/v2/public/manifests/t").await, 404);
    assert_eq!(registry.status("GET", "/v2/a/manifests/t").await, 401);
}

// registry A13: judged once, at the beginning
#[tokio::test]
async fn a_token_that_expires_in_the_middle_ends_nothing_that_has_begun() {
    let (folder, key) = (Folder::new(), Key::new("k", Algorithm::ES256));
    let registry = registry(&folder, &jwks(&folder, &key), "", "").await;
    let fresh = || key.sign(&claims(&[("n", "pull,push")]));
    let begun = registry.request("POST", "/v2/n/blobs/uploads/").bearer_auth(fresh()).send().await.unwrap();
    let session = header(&begun, "location");
    // Two seconds of the minute that clocks may be apart.
    let short = key.sign(&with(&claims(&[("n", "pull,push")]), &json!({ "exp": now() - 57 })));
    let began = Instant::now();
    let chunks = stream::iter(0..5).then(async |_| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, std::io::Error>(Bytes::from_static(b"x"))
    });
    let patch = registry.request("PATCH", &session).bearer_auth(&short);
    let patched = patch.body(reqwest::Body::wrap_stream(Box::pin(chunks))).send().await.unwrap();
    assert_eq!((patched.status().as_u16(), header(&patched, "range").as_str()), (202, "0-4"));
    assert!(began.elapsed() > Duration::from_secs(4));
    let put = format!("{session}?digest={}", sha256(b"xxxxx"));
    let late = registry.request("PUT", &put).bearer_auth(&short).send().await.unwrap();
    assert_eq!(header(&late, "www-authenticate"), challenge("repository:n:pull,push", "invalid_token"));
    refused(late, 401, "UNAUTHORIZED").await;
    assert_eq!(registry.request("PUT", &put).bearer_auth(fresh()).send().await.unwrap().status(), 201);
}

// registry A5 AU9: certificates, as distribution has them, and only algorithms that are named
#[tokio::test]
async fn keys_come_from_certificates_and_algorithms_from_a_list() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let (folder, key, other) =
            (Folder::new(), Key::new("any", algorithm), Key::new("x", Algorithm::ES256));
        let pem = |key: &Key| CertificateParams::default().self_signed(&key.pair).unwrap().pem();
        folder.write("bundle", &format!("# ours\n{}{}", pem(&other), pem(&key)));
        let bundle = format!("rootcertbundle: '{}'", folder.path("bundle").display());
        let ask = async |registry: &Fixture, key: &Key| {
            registry
                .request("GET", "/v2/")
                .bearer_auth(key.sign(&claims(&[])))
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        };
        let all = registry(&folder, &bundle, "", "").await;
        assert_eq!((ask(&all, &key).await, ask(&all, &other).await), (200, 200), "{algorithm:?}");
        assert_eq!(ask(&all, &Key::new("any", algorithm)).await, 401, "{algorithm:?}");
        let list = format!(", signingalgorithms: [{algorithm:?}, PS256]");
        let some = registry(&folder, &bundle, &list, "").await;
        assert_eq!(ask(&some, &key).await, 200, "{algorithm:?}");
        assert_eq!(ask(&some, &other).await == 200, algorithm == Algorithm::ES256, "{algorithm:?}");
        if algorithm == Algorithm::EdDSA {
            folder.write("bundle", &pem(&other));
            eventually(async || ask(&all, &key).await == 401).await;
            assert_eq!(ask(&all, &other).await, 200);
        }
    }
}
