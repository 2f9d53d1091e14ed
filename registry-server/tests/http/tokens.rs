//! Section 9: tokens of others in place of a password.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Header, jwk::Jwk};
use serde_json::{Value, json};

use crate::{
    access::with_accounts,
    fixture::{Fixture, eventually, header, refused},
    issuers::{Folder, Key, forged, now, set, with},
};

const CLUSTER: &str = "https://kubernetes.default.svc.cluster.local";
const FORGE: &str = "https://forge.example.com";
const US: &str = "registry.example.com";

const RULES: &str = "access:\n\
    - {subjects: ['serviceaccount:prod/*'], repositories: ['team/**'], actions: [pull, list]}\n\
    - {subjects: ['oidc:forge:acme/*'], repositories: ['team/**'], actions: [pull, push, list]}\n\
    - {subjects: ['group:oidc:forge:dev'], repositories: ['dev/**'], actions: [pull, push, list]}\n\
    - {subjects: ['user:dev'], repositories: ['**'], actions: [pull, push, delete, list]}\n";

/// What the cluster says of a pod of `prod`.
fn pod() -> Value {
    let sub = "system:serviceaccount:prod:app";
    json!({ "iss": CLUSTER, "aud": [US], "sub": sub, "exp": now() + 600, "nbf": now(), "iat": now() })
}

/// What the forge says of one of its users.
fn user() -> Value {
    json!({ "iss": FORGE, "aud": US, "sub": "acme/app", "exp": now() + 600, "owner": "acme", "groups": ["dev"] })
}

/// A registry that believes both, whose live file is in the folder.
async fn registry(folder: &Folder, cluster: &str, forge: &str) -> (Fixture, tempfile::TempDir) {
    folder.write("cluster.jwks", cluster);
    folder.write("forge.jwks", forge);
    folder.write("live.yml", &live(folder, RULES));
    with_accounts(&format!("live: {{path: '{}'}}", folder.path("live.yml").display())).await
}

fn live(folder: &Folder, rules: &str) -> String {
    let at = |name: &str| folder.path(name).display().to_string();
    format!(
        "oidc:\n- {{name: forge, issuer: '{FORGE}', audiences: [x, {US}], jwks: '{}', groupsclaim: groups, \
         requiredclaims: {{owner: acme}}}}\n\
         serviceaccounts: {{issuer: '{CLUSTER}', audiences: [{US}], jwks: '{}'}}\n{rules}",
        at("forge.jwks"),
        at("cluster.jwks")
    )
}

/// The status for the token as `Bearer`.
async fn alone(registry: &Fixture, token: &str) -> u16 {
    registry.request("GET", "/v2/").bearer_auth(token).send().await.unwrap().status().as_u16()
}

/// The status for the token as `Bearer`, which is the same as for a password of any name.
async fn status(registry: &Fixture, method: &str, path: &str, token: &str) -> u16 {
    let alone = registry.request(method, path).bearer_auth(token).send().await.unwrap();
    assert_eq!(header(&alone, "www-authenticate").is_empty(), alone.status() != 401);
    for name in ["", "dev", "nobody"] {
        let password = registry.request(method, path).basic_auth(name, Some(token)).send().await.unwrap();
        assert_eq!(password.status(), alone.status(), "{name:?} {method} {path}");
    }
    alone.status().as_u16()
}

// registry AU10
#[tokio::test]
async fn tokens_of_pods_and_of_a_forge_do_what_rules_say() {
    let (cluster, forge) = (Key::new("c", Algorithm::RS256), Key::new("f", Algorithm::ES256));
    let folder = Folder::new();
    let (registry, _accounts) = registry(&folder, &set(&[&cluster]), &set(&[&forge])).await;
    let (pod, user) = (cluster.sign(&pod()), forge.sign(&user()));
    for (token, method, path, expected) in [
        (&pod, "GET", "/v2/", 200),
        (&pod, "GET", "/v2/team/app/manifests/t", 404),
        (&pod, "GET", "/v2/other/manifests/t", 403),
        (&pod, "POST", "/v2/team/app/blobs/uploads/", 403),
        (&pod, "GET", "/v2/_catalog", 200),
        (&user, "GET", "/v2/", 200),
        (&user, "POST", "/v2/team/app/blobs/uploads/", 202),
        (&user, "POST", "/v2/dev/app/blobs/uploads/", 202),
        (&user, "DELETE", "/v2/team/app/manifests/t", 403),
        (&user, "GET", "/v2/other/manifests/t", 403),
    ] {
        assert_eq!(status(&registry, method, path, token).await, expected, "{method} {path}");
    }
    // A password of an account is one as before, also where it looks like a token of nobody that is known.
    let login =
        registry.request("GET", "/v2/").basic_auth("dev", Some("secret-canary")).send().await.unwrap();
    assert_eq!(login.status(), 200);
}

// registry AU10 AU9: everything that makes a token worthless, one at a time
#[tokio::test]
async fn tokens_that_are_not_for_us_or_not_of_those_who_are_believed_open_nothing() {
    let (cluster, forge) = (Key::new("c", Algorithm::RS256), Key::new("f", Algorithm::ES256));
    let stranger = Key::new("c", Algorithm::RS256);
    let folder = Folder::new();
    let (registry, _accounts) = registry(&folder, &set(&[&cluster]), &set(&[&forge])).await;
    let name = |sub: &str| json!({ "sub": format!("system:serviceaccount:{sub}") });
    let bad = [
        ("another audience", cluster.sign(&with(&pod(), &json!({ "aud": ["https://api"] })))),
        ("no audience", cluster.sign(&with(&pod(), &json!({ "aud": null })))),
        ("the audience is no text", cluster.sign(&with(&pod(), &json!({ "aud": [[US]] })))),
        ("another issuer", cluster.sign(&with(&pod(), &json!({ "iss": "https://elsewhere" })))),
        ("the issuer with a slash", cluster.sign(&with(&pod(), &json!({ "iss": format!("{CLUSTER}/") })))),
        ("a list of issuers", cluster.sign(&with(&pod(), &json!({ "iss": [CLUSTER] })))),
        ("no issuer", cluster.sign(&with(&pod(), &json!({ "iss": null })))),
        ("the issuer of another's keys", cluster.sign(&with(&pod(), &json!({ "iss": FORGE })))),
        ("the name of another's key", forge.sign_with(&named("c", Algorithm::ES256), &pod())),
        ("expired", cluster.sign(&with(&pod(), &json!({ "exp": now() - 62 })))),
        ("never expires", cluster.sign(&with(&pod(), &json!({ "exp": null })))),
        ("expires in words", cluster.sign(&with(&pod(), &json!({ "exp": "tomorrow" })))),
        ("not valid yet", cluster.sign(&with(&pod(), &json!({ "nbf": now() + 600 })))),
        ("valid from in words", cluster.sign(&with(&pod(), &json!({ "nbf": "now" })))),
        ("a key with the right name", stranger.sign(&pod())),
        ("an unknown key", cluster.sign_with(&named("x", Algorithm::RS256), &pod())),
        ("another algorithm than the key's", cluster.sign_with(&named("c", Algorithm::PS256), &pod())),
        ("no user", cluster.sign(&with(&pod(), &json!({ "sub": null })))),
        ("no service account", cluster.sign(&with(&pod(), &json!({ "sub": "system:node:prod:app" })))),
        ("no name", cluster.sign(&with(&pod(), &name("prod:")))),
        ("a slash in the name", cluster.sign(&with(&pod(), &name("prod:a/b")))),
        ("three parts", cluster.sign(&with(&pod(), &name("prod:a:b")))),
        ("a critical header", {
            let crit = Some(vec!["exp".to_owned()]);
            cluster.sign_with(&Header { crit, ..named("c", Algorithm::RS256) }, &pod())
        }),
        ("a required claim has another value", forge.sign(&with(&user(), &json!({ "owner": "evil" })))),
        ("a required claim is missing", forge.sign(&with(&user(), &json!({ "owner": null })))),
        ("a required claim is a list", forge.sign(&with(&user(), &json!({ "owner": ["acme"] })))),
        ("a line break in the name", forge.sign(&with(&user(), &json!({ "sub": "acme/a\nb" })))),
        ("an endless name", forge.sign(&with(&user(), &json!({ "sub": "x".repeat(256) })))),
    ];
    for (what, token) in &bad {
        assert_eq!(status(&registry, "GET", "/v2/", token).await, 401, "{what}");
        assert_eq!(status(&registry, "GET", "/v2/team/app/manifests/t", token).await, 401, "{what}");
    }
    // To the second, `Claims` is asked by a clock that stands still: here, time goes by until the last one is asked.
    for (what, token) in [
        ("expired 30 s ago", cluster.sign(&with(&pod(), &json!({ "exp": now() - 30 })))),
        ("valid in 30 s", cluster.sign(&with(&pod(), &json!({ "nbf": now() + 30 })))),
        ("valid in 59 s", cluster.sign(&with(&pod(), &json!({ "nbf": now() + 59 })))),
        ("no time of the beginning", cluster.sign(&with(&pod(), &json!({ "nbf": null })))),
        ("no name of the key", cluster.sign_with(&Header::new(Algorithm::RS256), &pod())),
        ("one audience of several", cluster.sign(&with(&pod(), &json!({ "aud": ["a", US] })))),
    ] {
        assert_eq!(status(&registry, "GET", "/v2/", &token).await, 200, "{what}");
    }
    let expired = registry.request("GET", "/v2/").bearer_auth(&bad[9].1).send().await.unwrap();
    let told = refused(expired, 401, "UNAUTHORIZED").await;
    assert_eq!(told["errors"][0]["message"], "the token has expired");
}

fn named(id: &str, algorithm: Algorithm) -> Header {
    Header { kid: Some(id.to_owned()), ..Header::new(algorithm) }
}

// registry AU9: whoever knows the public key only
#[tokio::test]
async fn tokens_without_a_signature_or_signed_by_a_public_key_open_nothing() {
    let (cluster, forge) = (Key::new("c", Algorithm::RS256), Key::new("f", Algorithm::EdDSA));
    let folder = Folder::new();
    let (registry, _accounts) = registry(&folder, &set(&[&cluster]), &set(&[&forge])).await;
    let good = cluster.sign(&pod());
    let signature = good.rsplit('.').next().unwrap();
    let mut tokens = Vec::new();
    for none in ["none", "None", "NONE", "nOnE", "", "ES512", "HS256"] {
        for kid in [json!("c"), json!(null)] {
            tokens.push(forged(&json!({ "alg": none, "typ": "JWT", "kid": kid }), &pod(), b""));
        }
    }
    tokens.push(forged(&json!({ "typ": "JWT" }), &pod(), b""));
    tokens.push(format!(
        "{}.{signature}",
        forged(&json!({ "alg": "none" }), &pod(), b"").trim_end_matches('.')
    ));
    // With each form of the public key as the secret, as those try who hope for a library that asks the header.
    let public = cluster.pair.public_key_pem();
    let secrets = [
        public.as_bytes().to_vec(),
        public.trim().as_bytes().to_vec(),
        cluster.pair.public_key_raw().to_vec(),
        set(&[&cluster]).into_bytes(),
        cluster.jwk()["n"].as_str().unwrap().as_bytes().to_vec(),
        Vec::new(),
    ];
    for secret in &secrets {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let key = jsonwebtoken::EncodingKey::from_secret(secret);
            for header in [named("c", algorithm), Header::new(algorithm)] {
                tokens.push(jsonwebtoken::encode(&header, &pod(), &key).unwrap());
            }
        }
    }
    // A key of the attacker's in the header itself, and the address of one.
    let own = Key::new("own", Algorithm::RS256);
    let jwk = serde_json::from_value::<Jwk>(own.jwk()).unwrap();
    for id in ["c", "own", "../../dev/null", "' OR 1=1"] {
        tokens.push(own.sign_with(&Header { jwk: Some(jwk.clone()), ..named(id, Algorithm::RS256) }, &pod()));
        let jku = Some("https://evil.example.com/keys".to_owned());
        tokens.push(own.sign_with(&Header { jku, ..named(id, Algorithm::RS256) }, &pod()));
    }
    // A good signature over other claims.
    let (head, rest) = good.split_once('.').unwrap();
    let others = forged(&json!({}), &with(&pod(), &json!({ "sub": "system:serviceaccount:prod:root" })), b"");
    tokens.push(format!("{head}.{}.{signature}", others.split('.').nth(1).unwrap()));
    tokens.push(format!("{head}.{}.{}", rest.split('.').next().unwrap(), &signature[..signature.len() - 4]));
    for token in &tokens {
        assert_eq!(status(&registry, "GET", "/v2/", token).await, 401, "{token}");
    }
    assert_eq!(status(&registry, "GET", "/v2/", &good).await, 200);
    assert_eq!(status(&registry, "GET", "/v2/", &forge.sign(&user())).await, 200);
}

// registry AU9: keys change one after the other, and what was right before is not right for longer than its key
#[tokio::test]
async fn keys_follow_their_file_and_the_last_good_ones_stay() {
    let (old, new) = (Key::new("1", Algorithm::ES384), Key::new("2", Algorithm::EdDSA));
    let forge = Key::new("f", Algorithm::ES256);
    let folder = Folder::new();
    let (registry, _accounts) = registry(&folder, &set(&[&old]), &set(&[&forge])).await;
    let (by_old, by_new) = (old.sign(&pod()), new.sign(&pod()));
    let ask = async |token: &str| status(&registry, "GET", "/v2/", token).await;
    assert_eq!((ask(&by_old).await, ask(&by_new).await), (200, 401));
    folder.write("cluster.jwks", &set(&[&new, &old]));
    eventually(async || alone(&registry, &by_new).await == 200).await;
    assert_eq!(ask(&by_old).await, 200);
    folder.write("cluster.jwks", &set(&[&new]));
    eventually(async || alone(&registry, &by_old).await == 401).await;
    assert_eq!(ask(&by_new).await, 200);
    // What is no set of public keys changes nothing.
    let errors = "registry_reload_errors_total{file=\"jwks\"}";
    for bad in ["{", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#] {
        let before = registry.metric(errors);
        folder.write("cluster.jwks", bad);
        eventually(async || registry.metric(errors) > before).await;
        assert_eq!((ask(&by_new).await, ask(&by_old).await), (200, 401), "{bad}");
    }
    folder.write("cluster.jwks", &set(&[&old]));
    eventually(async || alone(&registry, &by_old).await == 200).await;
    assert_eq!(ask(&by_new).await, 401);
    // An issuer that the live file names no more is nobody; the other one stays.
    let by_forge = forge.sign(&user());
    assert_eq!(ask(&by_forge).await, 200);
    let live = live(&folder, RULES);
    let others: Vec<&str> = live.lines().filter(|line| !line.starts_with("serviceaccounts")).collect();
    folder.write("live.yml", &others.join("\n"));
    eventually(async || alone(&registry, &by_old).await == 401).await;
    assert_eq!(ask(&by_forge).await, 200);
}

// registry AU10: those whom others vouch for have no rights but those that rules give them
#[tokio::test]
async fn without_rules_tokens_of_others_log_in_and_do_nothing() {
    let (cluster, forge) = (Key::new("c", Algorithm::ES256), Key::new("f", Algorithm::ES256));
    let folder = Folder::new();
    folder.write("cluster.jwks", &set(&[&cluster]));
    folder.write("forge.jwks", "not there yet");
    folder.write("live.yml", &live(&folder, ""));
    let (registry, _accounts) =
        with_accounts(&format!("live: {{path: '{}'}}", folder.path("live.yml").display())).await;
    let token = cluster.sign(&pod());
    for (method, path, expected) in [
        ("GET", "/v2/", 200),
        ("GET", "/v2/team/app/manifests/t", 403),
        ("GET", "/v2/team/app/tags/list", 403),
        ("POST", "/v2/team/app/blobs/uploads/", 403),
        ("DELETE", "/v2/team/app/manifests/t", 403),
    ] {
        assert_eq!(status(&registry, method, path, &token).await, expected, "{method} {path}");
    }
    // Keys that cannot be read keep nobody out but those who need them.
    assert_eq!(status(&registry, "GET", "/v2/", &forge.sign(&user())).await, 401);
    folder.write("forge.jwks", &set(&[&forge]));
    eventually(async || alone(&registry, &forge.sign(&user())).await == 200).await;
}

// registry AU8: a token that is wrong is no guess
#[tokio::test]
async fn wrong_tokens_lock_nobody_out() {
    let (cluster, forge) = (Key::new("c", Algorithm::ES256), Key::new("f", Algorithm::ES256));
    let folder = Folder::new();
    let (registry, _accounts) = registry(&folder, &set(&[&cluster]), &set(&[&forge])).await;
    let expired = cluster.sign(&with(&pod(), &json!({ "exp": now() - 100 })));
    for _ in 0..30 {
        let wrong = registry.request("GET", "/v2/").basic_auth("dev", Some(&expired)).send().await.unwrap();
        assert_eq!(wrong.status(), 401);
    }
    let right =
        registry.request("GET", "/v2/").basic_auth("dev", Some("secret-canary")).send().await.unwrap();
    assert_eq!(right.status(), 200);
    // Of an issuer that nobody knows it is a password like any other, and counted as one.
    let unknown = cluster.sign(&with(&pod(), &json!({ "iss": "https://elsewhere" })));
    let mut last = 0;
    for _ in 0..21 {
        let wrong = registry.request("GET", "/v2/").basic_auth("ci", Some(&unknown)).send().await.unwrap();
        last = wrong.status().as_u16();
    }
    assert_eq!(last, 429);
    assert_eq!(status(&registry, "GET", "/v2/", &cluster.sign(&pod())).await, 200);
}

// registry AU2: one header, one login
#[tokio::test]
async fn two_logins_at_once_are_none_and_long_ones_are_as_good_as_short_ones() {
    let (cluster, forge) = (Key::new("c", Algorithm::ES256), Key::new("f", Algorithm::ES256));
    let folder = Folder::new();
    let (registry, _accounts) = registry(&folder, &set(&[&cluster]), &set(&[&forge])).await;
    let (pod, user) = (cluster.sign(&pod()), forge.sign(&user()));
    let right = "Basic ZGV2OnNlY3JldC1jYW5hcnk=".to_owned();
    for pair in [[&format!("Bearer {pod}"), &right], [&format!("Bearer {pod}"), &format!("Bearer {pod}")]] {
        for [one, two] in [pair, [pair[1], pair[0]]] {
            let twice =
                registry.request("GET", "/v2/").header("authorization", one).header("authorization", two);
            assert_eq!(twice.send().await.unwrap().status(), 401);
        }
    }
    for joined in
        [format!("Bearer {pod}, Bearer {user}"), format!("Bearer {pod} {user}"), format!("Bearer{pod}")]
    {
        let asked = registry.request("GET", "/v2/").header("authorization", joined).send().await.unwrap();
        assert_eq!(asked.status(), 401);
    }
    let groups =
        |count: usize| json!({ "groups": (0..count).map(|i| format!("group-{i:05}")).collect::<Vec<_>>() });
    let sized = |count| forge.sign(&with(&self::user(), &groups(count)));
    let (long, endless) = (sized(800), sized(1000));
    assert!(long.len() < 16 << 10 && endless.len() > 16 << 10, "{} {}", long.len(), endless.len());
    assert_eq!(status(&registry, "GET", "/v2/", &long).await, 200);
    assert_eq!(status(&registry, "GET", "/v2/", &endless).await, 401);
    // As deep as a parser would fall.
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#);
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"iss":"{FORGE}","x":{deep}}}"#));
    assert_eq!(status(&registry, "GET", "/v2/", &format!("{header}.{claims}.AAAA")).await, 401);
}

// registry AU9: an exchange of keys is felt by nobody whose key stays
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_change_under_load_refuse_nobody_whose_key_stays() {
    let (stays, comes) = (Key::new("1", Algorithm::ES256), Key::new("2", Algorithm::ES256));
    let folder = Folder::new();
    let (registry, _accounts) = registry(&folder, &set(&[&stays]), &set(&[&comes])).await;
    let (good, goes) = (stays.sign(&pod()), comes.sign(&pod()));
    let began = Instant::now();
    let load = async {
        let mut asked = 0;
        while began.elapsed() < Duration::from_secs(18) {
            // Always another one, so that none is remembered.
            let fresh = stays.sign(&with(&pod(), &json!({ "jti": asked })));
            let all = [&good, &fresh].map(|token| alone(&registry, token));
            assert_eq!(futures::future::join_all(all).await, [200, 200], "after {asked}");
            asked += 1;
        }
        asked
    };
    let swaps = async {
        let mut taken = 0;
        while began.elapsed() < Duration::from_secs(18) {
            for keys in [set(&[&stays, &comes]), "{".to_owned(), set(&[&comes, &stays]), set(&[&stays])] {
                folder.write("cluster.jwks", &keys);
                tokio::time::sleep(Duration::from_millis(700)).await;
                taken += usize::from(alone(&registry, &goes).await == 200);
            }
        }
        taken
    };
    let (asked, taken) = tokio::join!(load, swaps);
    assert!(asked > 50 && taken > 0, "{asked} {taken}");
    folder.write("cluster.jwks", &set(&[&stays]));
    eventually(async || alone(&registry, &goes).await == 401).await;
}
