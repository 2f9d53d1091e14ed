//! Section 9: tokens for logins that end soon.

use jsonwebtoken::Algorithm;
use reqwest::Response;
use serde_json::{Value, json};

use crate::{
    fixture::{Fixture, header, refused},
    issuers::{Folder, Key, now, set},
};

const CLUSTER: &str = "https://kubernetes.default.svc";
const RULES: &str =
    "access: [{subjects: ['serviceaccount:prod/*'], repositories: ['**'], actions: [pull]}]\n";

/// A registry that gives tokens to whom this key vouches for.
async fn registry(folder: &Folder, key: &Key) -> Fixture {
    folder.write("htpasswd", "dev:{SHA}dR6xbZ1gQLunYuitWAujQx3sL88=\n");
    folder.write("key", &Key::new("", Algorithm::ES256).pair.serialize_pem());
    folder.write("jwks", &set(&[key]));
    let at = |name: &str| folder.path(name).display().to_string();
    let text = format!(
        "auth: {{htpasswd: {{path: '{}'}}, token: {{builtin: {{key: '{}'}}}}}}\n\
         serviceaccounts: {{issuer: '{CLUSTER}', audiences: [us], jwks: '{}'}}\n",
        at("htpasswd"),
        at("key"),
        at("jwks")
    );
    Fixture::with(&(text + RULES)).await
}

/// What a pod gets by GET, or by the form, whose own token says that it ends then.
async fn exchange(registry: &Fixture, key: &Key, until: i64, form: bool) -> Response {
    let sub = "system:serviceaccount:prod:app";
    let own = key.sign(&json!({ "iss": CLUSTER, "aud": "us", "sub": sub, "exp": until }));
    let scope = "scope=repository:team/a:pull";
    if form {
        let request = registry.request("POST", "/token");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = format!("grant_type=password&username=any&password={own}&{scope}");
        return request.body(body).send().await.unwrap();
    }
    registry.request("GET", &format!("/token?{scope}")).bearer_auth(own).send().await.unwrap()
}

// registry A8: clients keep a token for a minute, whatever less they are told
#[tokio::test]
async fn a_token_counts_for_a_minute_at_least_and_no_longer_than_the_login() {
    let (folder, key) = (Folder::new(), Key::new("", Algorithm::ES256));
    let registry = registry(&folder, &key).await;
    for (left, form) in [(90, false), (90, true), (30, false), (30, true)] {
        let until = now() + left;
        let given = exchange(&registry, &key, until, form).await;
        assert_eq!(given.status(), 200, "{left}");
        let given: Value = serde_json::from_str(&given.text().await.unwrap()).unwrap();
        let seconds = given["expires_in"].as_i64().unwrap();
        assert!((60.max(left - 5)..=60.max(left)).contains(&seconds), "{left}: {given}");
        let token = given["token"].as_str().unwrap();
        // What is verified here counts for a minute longer than it says, as the login itself does.
        let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims;
        assert_eq!(claims["exp"], until, "{left}");
        let pull = registry.request("GET", "/v2/team/a/manifests/t").bearer_auth(token);
        refused(pull.send().await.unwrap(), 404, "NAME_UNKNOWN").await;
    }
}

// registry A8 A9: what would count for less than a minute is not given
#[tokio::test]
async fn a_login_that_is_about_to_end_gets_no_token() {
    let (folder, key) = (Folder::new(), Key::new("", Algorithm::ES256));
    let registry = registry(&folder, &key).await;
    for form in [false, true] {
        // Clocks may differ by a minute, so that it counts for half of one more.
        let answer = exchange(&registry, &key, now() - 30, form).await;
        assert_eq!(header(&answer, "www-authenticate"), "Basic realm=\"Registry\"");
        let body = refused(answer, 401, "UNAUTHORIZED").await;
        assert!(body.to_string().contains("less than a minute"), "{body}");
        refused(exchange(&registry, &key, now() - 90, form).await, 401, "UNAUTHORIZED").await;
    }
}
