//! The CA and what it signs.

use operator::private_registry::certificates::inspect::{self, Facts};
use serde_json::{Value, json};

use crate::world::{OBJECT, SIX_LINES, World};

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

// A pair that does not belong together serves nobody, whoever put it there.
#[tokio::test]
async fn a_key_of_anothers_beside_the_certificate_is_not_served() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let good = world.secret("team-tls", "tls.key");
    let other = world.secret("team-ca", "tls.key");
    for key in [other.as_str(), "no key"] {
        world.set_secret("team-tls", "tls.key", key);
        world.settle().await;
        let served = world.secret("team-tls", "tls.key");
        assert!(served != key && served != good, "a new pair");
    }
}

// A CA that cannot sign is said, and costs nobody his account.
#[tokio::test]
async fn a_ca_that_cannot_sign_stops_nothing_else() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let served = world.secret("team-tls", "tls.crt");
    let key = world.secret("team-tls", "tls.key");
    for broken in ["no key", key.as_str()] {
        world.set_secret("team-ca", "tls.key", broken);
        world.now += 70 * 24 * 3600;
        let before = world.secret("team-htpasswd", "htpasswd");
        world.set_secret("team.admin", "password", &format!("new for {}", world.now));
        world.settle().await;
        assert_eq!(world.condition("CertificateReady"), "False/ChainInvalid");
        assert!(
            world.message("CertificateReady").contains("team-ca"),
            "{}",
            world.message("CertificateReady")
        );
        assert_eq!(world.secret("team-tls", "tls.crt"), served);
        assert_ne!(world.secret("team-htpasswd", "htpasswd"), before);
    }
}

// operator 36, operator 37: renewed once, at two thirds of its life, and told
#[tokio::test]
async fn a_certificate_is_renewed_once_when_it_is_due() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let (first, ca) = (world.secret("team-tls", "tls.crt"), world.secret("team-ca", "tls.crt"));
    let due = world.api.objects()[OBJECT]["status"]["certificate"]["renewalTime"].clone();
    let due = due.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    let renewed = |world: &World| {
        world.api.events().iter().filter(|event| event.starts_with("CertificateRenewed")).count()
    };
    world.now = due - 1;
    world.settle().await;
    assert_eq!((world.secret("team-tls", "tls.crt"), renewed(&world)), (first.clone(), 0));
    for _ in 0..2 {
        world.now = due;
        world.settle().await;
        assert_ne!(world.secret("team-tls", "tls.crt"), first);
        assert_eq!((world.secret("team-ca", "tls.crt"), renewed(&world)), (ca.clone(), 1));
    }
}

// operator 41: what is no longer a name goes from the certificate, too
#[tokio::test]
async fn the_certificate_names_what_the_object_names() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let names = |world: &World| world.api.objects()[OBJECT]["status"]["certificate"]["dnsNames"].to_string();
    let before = names(&world);
    world.set_spec("exposure", json!({"hostnames": ["Registry.Example.com".to_lowercase()]}));
    world.settle().await;
    assert!(names(&world).contains("registry.example.com"), "{}", names(&world));
    world.set_spec("exposure", Value::Null);
    world.settle().await;
    assert_eq!(names(&world), before);
}

// operator 39: a CA lives for as long as the object says, and is replaced at two thirds of that; one that clients trust
// already is not replaced because its successor is to live longer
#[tokio::test]
async fn a_ca_lives_for_as_long_as_the_object_says() {
    let lives = |hours: u32| json!({"selfSigned": {"caLifetime": format!("{hours}h")}});
    let mut world = World::new("{storage: {ephemeral: {}}, tls: {selfSigned: {caLifetime: 4400h}}}");
    let facts =
        |world: &World, key: &str| -> Facts { inspect::first(&world.secret("team-ca", key)).unwrap() };
    world.settle().await;
    let first = facts(&world, "tls.crt");
    assert_eq!(first.not_after, world.now + 4400 * 3600);
    world.set_spec("tls", lives(8800));
    world.now = first.renewal() - 1;
    world.settle().await;
    let authority = world.api.objects()["/api/v1/namespaces/tools/secrets/team-ca"]["data"].clone();
    assert!(authority["next.crt"].is_null(), "it was replaced early");
    assert_eq!(facts(&world, "tls.crt").not_after, first.not_after);
    world.now = first.renewal();
    world.settle().await;
    assert_eq!(facts(&world, "tls.crt").not_after, first.not_after);
    assert_eq!(facts(&world, "next.crt").not_after, world.now + 8800 * 3600);
}
