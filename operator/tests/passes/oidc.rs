//! Issuers that the object names: the pods get their public keys from ConfigMaps of the user's.

use serde_json::{Value, json};

use crate::world::{SIX_LINES, World};

const MAP: &str = "/api/v1/namespaces/tools/configmaps/forge-keys";
const LIVE: &str = "/api/v1/namespaces/tools/configmaps/team-live";

/// A JWK set with one key.
pub fn keys(kid: &str) -> String {
    let part = "w".repeat(43);
    json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": kid, "x": part, "y": part}]}).to_string()
}

fn put(world: &World, text: &str) {
    world.api.put(
        MAP,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "forge-keys", "namespace": "tools"},
            "data": {"jwks.json": text}}),
    );
}

fn auth() -> Value {
    json!({"oidc": [{"name": "forge", "issuer": "https://token.example.com", "audiences": ["registry.example.com"],
        "jwksRef": {"name": "forge-keys", "key": "jwks.json"}, "usernameClaim": "sub", "requiredClaims": {"owner": "acme"}}],
        "access": [{"subjects": ["oidc:forge:acme/*", "group:oidc:forge:ops"], "repositories": ["team/**"], "actions": ["Push"]}]})
}

fn live(world: &World) -> (String, Option<String>) {
    let data = world.api.objects()[LIVE]["data"].clone();
    let text = |key: &str| data[key].as_str().map(str::to_owned);
    let named = data.as_object().unwrap().keys().find(|key| key.starts_with("oidc-forge-"));
    (text("live.yml").unwrap(), named.and_then(|key| text(key)))
}

async fn world() -> World {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    put(&world, &keys("first"));
    world.set_spec("auth", auth());
    world.settle().await;
    world
}

// registry AU9
#[tokio::test]
async fn the_registry_gets_the_keys_of_issuers_that_the_object_names() {
    let mut world = world().await;
    let (file, found) = live(&world);
    for part in ["https://token.example.com", "/etc/registry/live/oidc-forge-", "owner", "oidc:forge:acme/*"]
    {
        assert!(file.contains(part), "no {part} in {file}");
    }
    assert_eq!(found, Some(keys("first")));
    assert_eq!(world.condition("Ready"), "True/AllReady");
    put(&world, &keys("second"));
    world.settle().await;
    assert_eq!(live(&world).1, Some(keys("second")));
    world.set_spec("auth", json!({}));
    world.settle().await;
    assert_eq!(live(&world).1, None);
}

// guarantee 5: bad keys never replace good ones
#[tokio::test]
async fn keys_that_are_none_leave_the_last_ones() {
    let world = world().await;
    let private = json!({"keys": [{"kty": "EC", "kid": "x", "d": "c2VjcmV0"}]}).to_string();
    for (text, said) in [
        ("no json", "is no JSON"),
        ("{}", "no list of keys"),
        (r#"{"keys": []}"#, "no key that can verify"),
        (r#"{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}"#, "private key"),
        (private.as_str(), "private key"),
    ] {
        put(&world, text);
        world.settle().await;
        assert_eq!(world.condition("CredentialsReady"), "False/IssuerUnavailable", "{text}");
        let message = world.message("CredentialsReady");
        assert!(
            message.contains(said) && message.contains("forge-keys") && !message.contains("c2VjcmV0"),
            "{message}"
        );
        assert_eq!(live(&world).1, Some(keys("first")));
    }
    world.api.remove(MAP);
    world.settle().await;
    let message = world.message("CredentialsReady");
    assert!(message.contains("no key jwks.json in a ConfigMap forge-keys"), "{message}");
    assert_eq!(live(&world).1, Some(keys("first")));
    put(&world, &keys("first"));
    world.settle().await;
    assert_eq!(world.condition("Ready"), "True/AllReady");
}

// Rules about nobody are a mistake, and change nothing
#[tokio::test]
async fn rules_about_an_issuer_that_is_not_there_are_refused() {
    let mut world = world().await;
    let before = live(&world);
    for (subject, said) in [
        ("oidc:froge:ann", "rule 1 names issuer froge"),
        ("group:oidc:froge:ops", "rule 1 names issuer froge"),
    ] {
        let mut wrong = auth();
        wrong["access"][0]["subjects"] = json!([subject]);
        world.set_spec("auth", wrong);
        let error = world.pass().await.unwrap_err();
        world.fail(&error).await;
        assert_eq!(world.condition("Ready"), "False/InvalidSpec");
        assert!(world.message("Ready").contains(said), "{}", world.message("Ready"));
    }
    let mut twice = auth();
    let mut second = twice["oidc"][0].clone();
    second["name"] = "again".into();
    twice["oidc"].as_array_mut().unwrap().push(second);
    world.set_spec("auth", twice);
    let error = world.pass().await.unwrap_err();
    assert!(error.to_string().contains("https://token.example.com twice"), "{error}");
    assert_eq!(live(&world), before);
}

// What somebody has signed who is not trusted any more is nobody's word for the next one of that name.
#[tokio::test]
async fn keys_of_a_former_issuer_do_not_count_for_the_next_one() {
    let mut world = world().await;
    let mut other = auth();
    other["oidc"][0]["issuer"] = "https://new.example.com".into();
    other["oidc"][0]["jwksRef"]["name"] = "not-there-yet".into();
    world.set_spec("auth", other);
    world.settle().await;
    assert_eq!(world.condition("CredentialsReady"), "False/IssuerUnavailable");
    let (file, found) = live(&world);
    assert!(file.contains("https://new.example.com") && found.is_none(), "{file} {found:?}");
}

// The server refuses a file in which a token would be two users.
#[tokio::test]
async fn the_cluster_is_no_issuer_beside_itself() {
    let mut world = world().await;
    for (path, value) in [
        ("/.well-known/openid-configuration", json!({"issuer": "https://token.example.com"})),
        ("/openid/v1/jwks", serde_json::from_str(&keys("cluster")).unwrap()),
    ] {
        world.api.keep(path, value);
    }
    let mut both = auth();
    both["serviceAccounts"] = json!({"audiences": ["registry.example.com"]});
    world.set_spec("auth", both);
    let error = world.pass().await.unwrap_err();
    assert!(error.to_string().contains("spec.auth.serviceAccounts takes its tokens already"), "{error}");
}
