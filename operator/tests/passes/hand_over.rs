//! What running pods re-read is handed over in the pass that has written it, whatever becomes of the rest of it.

use serde_json::{Value, json};

use crate::{
    oidc::keys,
    world::{SIX_LINES, World},
};

const POD: &str = "/api/v1/namespaces/tools/pods/team-registry-1-a";

/// A pod runs.
fn run(world: &World) {
    let labels = json!({"app.kubernetes.io/managed-by": "privateregistry-operator",
        "app.kubernetes.io/instance": "team", "app.kubernetes.io/component": "registry"});
    let metadata = json!({"name": "team-registry-1-a", "namespace": "tools", "labels": labels});
    world.api.put(POD, json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}));
}

/// What makes the kubelet look at the pod.
fn handed(world: &World) -> Value {
    world.api.objects()[POD]["metadata"]["annotations"]["privateregistry.dev/inputs"].clone()
}

#[tokio::test]
async fn a_later_step_that_fails_keeps_nothing_from_running_pods() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    run(&world);
    world.pass().await.unwrap();
    assert_eq!(handed(&world), Value::Null, "nothing has changed");
    world.api.refuse("services/team-registry");
    world.set_spec("exposure", json!({"service": {"port": 8443}}));
    world.set_spec("readOnly", true.into());
    assert!(world.pass().await.is_err(), "the Service is refused");
    let first = handed(&world);
    assert!(first.is_string(), "{first}");
    // What was written before the file that is refused.
    world.api.refuse("configmaps/team-live");
    world.set_spec("readOnly", false.into());
    world.set_spec("auth", json!({"htpasswd": {"users": [{"name": "ann"}]}}));
    assert!(world.pass().await.is_err(), "the live file is refused");
    assert!(handed(&world).is_string() && handed(&world) != first, "{first}");
}

#[tokio::test]
async fn whatever_a_pass_has_written_is_handed_over_at_one_go() {
    let mut world = World::new(SIX_LINES);
    let put = |world: &World, kid: &str| {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "auth-keys", "namespace": "tools"},
            "data": {"jwks.json": keys(kid)}});
        world.api.put("/api/v1/namespaces/tools/configmaps/auth-keys", map);
    };
    put(&world, "first");
    world.set_spec(
        "auth",
        json!({"token": {"external": {"realm": "https://auth.example.com/token", "service": "registry",
            "issuer": "auth.example.com", "jwksRef": {"name": "auth-keys"}}}}),
    );
    world.settle().await;
    run(&world);
    let before = world.api.writes().len();
    put(&world, "second");
    world.set_spec("readOnly", true.into());
    world.pass().await.unwrap();
    let writes = world.api.writes()[before..].to_vec();
    for name in ["configmaps/team-tokens-", "configmaps/team-live"] {
        assert!(writes.iter().any(|write| write.contains(name)), "{name}: {writes:?}");
    }
    assert_eq!(
        writes.iter().filter(|write| write.ends_with("pods/team-registry-1-a")).count(),
        1,
        "{writes:?}"
    );
    assert!(handed(&world).is_string());
}
