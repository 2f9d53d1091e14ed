//! Pods that stay as they are for now stay so whoever changes them.

use operator::private_registry::held::REMEMBERED;
use serde_json::{Value, json};

use crate::world::{OBJECT, SIX_LINES, World};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/tools/deployments/team-registry";
const SERVICE: &str = "/api/v1/namespaces/tools/services/team-registry";

/// A registry whose new image does not start.
async fn held() -> World {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    world.set_spec("image", json!({"reference": "knows-less:1"}));
    world.settle().await;
    assert_eq!(world.condition("Progressing"), "False/RolloutBlocked");
    world
}

fn specs(world: &World) -> Vec<(String, Value)> {
    let objects = world.api.objects();
    let kinds = ["/deployments/", "/services/", "/networkpolicies/"];
    let ours = |path: &String| kinds.iter().any(|kind| path.contains(kind));
    objects
        .into_iter()
        .filter(|(path, _)| ours(path))
        .map(|(path, object)| (path, object["spec"].clone()))
        .collect()
}

// operator 16: also while what is wanted next waits
#[tokio::test]
async fn what_is_changed_by_hand_while_pods_are_held_is_put_back() {
    let world = held().await;
    let before = specs(&world);
    world.api.change(DEPLOYMENT, |deployment| {
        deployment["spec"]["replicas"] = 0.into();
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "mine:1".into();
    });
    world.api.change(SERVICE, |service| service["spec"]["ports"][0]["targetPort"] = "admin".into());
    let policy = before.iter().map(|(path, _)| path).find(|path| path.contains("/networkpolicies/")).unwrap();
    world.api.change(policy, |policy| policy["spec"]["ingress"] = json!([{}]));
    world.settle().await;
    assert_eq!(specs(&world), before);
    assert_eq!(world.condition("Progressing"), "False/RolloutBlocked");
    let told = world.api.events().iter().filter(|event| event.starts_with("Reverted")).count();
    assert_eq!(told, 3, "{:?}", world.api.events());
}

#[tokio::test]
async fn what_is_said_of_certificate_and_cache_is_true_of_pods_that_stay() {
    let mut world = held().await;
    world.set_spec("tls", json!({"disabled": {}}));
    world.set_spec("cache", json!({"none": {}}));
    world.settle().await;
    assert_eq!(world.condition("CertificateReady"), "True/Issued");
    assert!(world.message("CertificateReady").contains("Secret team-tls until"));
    assert_eq!(world.condition("CacheReady"), "Unknown/Reconciling");
    world.set_spec("image", Value::Null);
    world.settle().await;
    assert_eq!(world.condition("CertificateReady"), "True/Disabled");
    assert_eq!(world.condition("CacheReady"), "True/NotConfigured");
    world.set_spec("image", json!({"reference": "knows-less:1"}));
    world.set_spec("tls", Value::Null);
    world.settle().await;
    assert_eq!(world.condition("CertificateReady"), "True/Disabled");
    assert!(world.message("CertificateReady").contains("unencrypted"));
    assert!(world.api.objects()[OBJECT]["status"]["certificate"].is_null());
}

// What others wrote into the annotation is not what we made, and a child without it stays as it is.
#[tokio::test]
async fn only_what_we_made_is_put_back() {
    for forged in [Some("more replicas"), Some("no JSON"), None] {
        let world = held().await;
        let made = world.api.objects()[DEPLOYMENT]["metadata"]["annotations"][REMEMBERED].clone();
        let made = made.as_str().unwrap().replace("\"replicas\":1", "\"replicas\":7");
        assert!(made.contains("\"replicas\":7"), "{made}");
        let forged = forged.map(|what| if what == "more replicas" { made.as_str() } else { what });
        world.api.change(DEPLOYMENT, |deployment| {
            deployment["spec"]["replicas"] = 3.into();
            let annotations = deployment["metadata"]["annotations"].as_object_mut().unwrap();
            match forged {
                Some(forged) => annotations.insert(REMEMBERED.into(), forged.into()),
                None => annotations.remove(REMEMBERED),
            };
        });
        world.settle().await;
        assert_eq!(world.api.objects()[DEPLOYMENT]["spec"]["replicas"], 3, "{forged:?}");
    }
}
