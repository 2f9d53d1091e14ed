//! Keys that sign the registry's tokens.

use serde_json::json;

use crate::world::World;

const KEYS: &str = "team-tokenkeys";
const PATH: &str = "/api/v1/namespaces/tools/secrets/team-tokenkeys";
const MONTH: i64 = 30 * 24 * 3600;

async fn giving() -> World {
    let world = World::new("{storage: {ephemeral: {}}, auth: {token: {builtIn: {}}}}");
    world.settle().await;
    world
}

fn keys(world: &World) -> (String, String) {
    (world.secret(KEYS, "key.pem"), world.secret(KEYS, "other.pem"))
}

// registry A9: pods know a key before it signs, and as long as a token of it may be about
#[tokio::test]
async fn keys_of_tokens_are_replaced_step_by_step() {
    let mut world = giving().await;
    let (first, beside) = keys(&world);
    assert!(first.contains("PRIVATE KEY"));
    assert_eq!(first, beside, "alone");
    world.now += MONTH + 1;
    world.settle().await;
    let (key, next) = keys(&world);
    assert_eq!(key, first, "it signs until the next one is known everywhere");
    assert_ne!(next, first);
    world.now += 601;
    world.settle().await;
    assert_eq!(keys(&world), (next.clone(), first));
    assert!(world.api.events().iter().any(|event| event.starts_with("CredentialsRotated")));
    world.now += 25 * 3600 + 1;
    world.settle().await;
    assert_eq!(keys(&world), (next.clone(), next));
}

#[tokio::test]
async fn a_key_is_replaced_when_that_is_asked_for_or_it_is_none() {
    let mut world = giving().await;
    let (first, _) = keys(&world);
    world.annotate("privateregistry.dev/rotate-credentials", "now");
    world.settle().await;
    let (key, next) = keys(&world);
    assert!(key == first && next != first);
    world.set_secret(KEYS, "key.pem", "no key");
    world.settle().await;
    let (another, beside) = keys(&world);
    assert!(
        another.contains("PRIVATE KEY") && another != next && beside == next,
        "what can be read stays known"
    );
    world.api.change(PATH, |secret| secret["metadata"]["annotations"] = json!({}));
    world.settle().await;
    assert_eq!(keys(&world), (another, next));
    // They go with the section, and a later one begins anew.
    world.set_spec("auth", json!({}));
    world.settle().await;
    assert!(!world.api.objects().contains_key(PATH));
}
