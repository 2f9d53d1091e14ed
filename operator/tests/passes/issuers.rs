//! Tokens of service accounts: the registry gets who signs them, and with which keys.

use serde_json::{Value, json};

use crate::world::{SIX_LINES, World};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/openid/v1/jwks";
const LIVE: &str = "/api/v1/namespaces/tools/configmaps/team-live";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/tools/deployments/team-registry";

/// A key of 2048 bits, as API servers sign by.
fn keys(kid: &str) -> Value {
    let modulus = "w".repeat(342);
    json!({"keys": [{"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": modulus, "e": "AQAB"}]})
}

/// Sets that the registry refuses, and what is said about each.
fn refused() -> [(Value, &'static str); 4] {
    let part = "A".repeat(88);
    [
        (json!({"keys": []}), "it is empty"),
        (json!({"keys": [{"kty": "EC", "crv": "P-521", "x": part, "y": part}]}), "not known here"),
        (json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}), "less than 2048 bits"),
        (json!({"metadata": {}}), "no list of keys"),
    ]
}

/// What is said of such a set.
fn assert_told(world: &World, said: &str) {
    assert_eq!(world.condition("CredentialsReady"), "False/IssuerUnavailable", "{said}");
    let message = world.message("CredentialsReady");
    for part in ["spec.auth.serviceAccounts", KEYS, said, "--service-account-signing-key-file"] {
        assert!(message.contains(part), "no {part} in {message}");
    }
}

fn live(world: &World) -> (String, Option<String>) {
    let data = world.api.objects()[LIVE]["data"].clone();
    let text = |key: &str| data[key].as_str().map(str::to_owned);
    (text("live.yml").unwrap(), text("serviceaccounts.jwks"))
}

/// A registry that takes tokens of a cluster which says who signs them.
async fn world() -> World {
    with(keys("first")).await
}

/// One whose API server tells this set.
async fn with(set: Value) -> World {
    let mut world = World::new(SIX_LINES);
    world.api.keep(DISCOVERY, json!({"issuer": "https://kubernetes.default.svc"}));
    world.api.keep(KEYS, set);
    world.set_spec("auth", json!({"serviceAccounts": {"audiences": ["registry.example.com"]}}));
    world.settle().await;
    world
}

// registry AU10
#[tokio::test]
async fn the_registry_gets_the_clusters_issuer_and_keys() {
    let mut world = world().await;
    let (file, found) = live(&world);
    for part in
        ["https://kubernetes.default.svc", "registry.example.com", "/etc/registry/live/serviceaccounts.jwks"]
    {
        assert!(file.contains(part), "no {part} in {file}");
    }
    assert_eq!(found, Some(keys("first").to_string()));
    let pods = world.api.objects()[DEPLOYMENT]["spec"].clone();
    world.api.keep(KEYS, keys("second"));
    world.settle().await;
    assert_eq!(live(&world).1, Some(keys("second").to_string()));
    world.set_spec("auth", Value::Null);
    world.settle().await;
    let (file, found) = live(&world);
    assert!(!file.contains("serviceaccounts") && found.is_none(), "{file} {found:?}");
    assert_eq!(world.api.objects()[DEPLOYMENT]["spec"], pods, "pods were replaced");
}

// guarantee 5: what the API server does not tell any more stays as it was
#[tokio::test]
async fn an_issuer_that_is_not_told_any_more_stays() {
    let world = world().await;
    let before = live(&world);
    world.api.remove(KEYS);
    world.settle().await;
    assert_eq!(world.condition("CredentialsReady"), "False/IssuerUnavailable");
    assert!(world.message("CredentialsReady").contains("system:service-account-issuer-discovery"));
    assert_eq!(live(&world), before);
    world.api.keep(KEYS, keys("first"));
    world.settle().await;
    assert_eq!(world.condition("Ready"), "True/AllReady");
}

// The server would refuse the set, and each token with it, while the object is said to be ready.
#[tokio::test]
async fn a_set_that_the_registry_refuses_is_told_and_not_handed_on() {
    for (set, said) in refused() {
        let world = with(set).await;
        assert_told(&world, said);
        let (file, found) = live(&world);
        assert!(!file.contains("serviceaccounts") && found.is_none(), "{file} {found:?}");
        world.api.keep(KEYS, keys("first"));
        world.settle().await;
        assert_eq!(world.condition("Ready"), "True/AllReady");
        assert_eq!(live(&world).1, Some(keys("first").to_string()));
    }
}

// guarantee 5: bad keys never replace good ones
#[tokio::test]
async fn a_refused_set_leaves_the_keys_before() {
    let world = world().await;
    let before = live(&world);
    for (set, said) in refused() {
        world.api.keep(KEYS, set);
        world.settle().await;
        assert_told(&world, said);
        assert_eq!(live(&world), before, "{said}");
    }
    world.api.keep(KEYS, keys("second"));
    world.settle().await;
    assert_eq!(world.condition("Ready"), "True/AllReady");
    assert_eq!(live(&world).1, Some(keys("second").to_string()));
}
