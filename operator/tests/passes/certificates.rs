//! The CA and what it signs.

use serde_json::Value;

use crate::world::{SIX_LINES, World};

// operator 40: the CA's Secret was written, and nothing after it
#[tokio::test]
async fn a_lost_certificate_is_made_again_by_the_same_ca() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let ca = world.secret("team-ca", "tls.crt");
    for name in ["secrets/team-tls", "configmaps/team-trust"] {
        world.api.remove(name);
    }
    world.settle().await;
    assert_eq!(world.secret("team-ca", "tls.crt"), ca);
    assert_eq!(world.secret("team-tls", "ca.crt"), ca);
}

// A CA of which half is missing is never replaced behind its clients' backs.
#[tokio::test]
async fn half_a_ca_is_said_and_not_replaced() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let served = world.secret("team-tls", "tls.crt");
    world
        .api
        .change("secrets/team-ca", |secret| drop(secret["data"].as_object_mut().unwrap().remove("tls.key")));
    world.settle().await;
    assert_eq!(world.condition("CertificateReady"), "False/ChainInvalid");
    assert_eq!(world.secret("team-tls", "tls.crt"), served);
    assert_eq!(
        world.api.objects()["/api/v1/namespaces/tools/secrets/team-ca"]["data"]["tls.key"],
        Value::Null
    );
}

// operator 36, operator 39: a CA is rotated as it was asked for, published before it signs
#[tokio::test]
async fn a_ca_is_rotated_as_asked() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let first = world.secret("team-ca", "tls.crt");
    world.annotate("privateregistry.dev/rotate-ca", "now");
    world.settle().await;
    let trust = |world: &World| {
        world.api.objects()["/api/v1/namespaces/tools/configmaps/team-trust"]["data"]["ca.crt"].to_string()
    };
    assert_eq!(trust(&world).matches("BEGIN").count(), 2);
    assert_eq!(world.secret("team-tls", "ca.crt"), first);
    world.now += 25 * 3600;
    world.settle().await;
    let second = world.secret("team-ca", "tls.crt");
    assert_ne!(second, first);
    assert_eq!(world.secret("team-tls", "ca.crt"), second);
    assert_eq!(trust(&world).matches("BEGIN").count(), 2);
    assert!(
        world.api.events().iter().any(|event| event.starts_with("CARotated")),
        "{:?}",
        world.api.events()
    );
}
