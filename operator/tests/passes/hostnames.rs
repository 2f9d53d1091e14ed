//! Names that two registries want.

use serde_json::json;

use crate::world::World;

// operator 110: the second one says whose it is, and the first one is not touched
#[tokio::test]
async fn a_name_that_another_registry_had_first_is_said() {
    let spec = "{storage: {ephemeral: {}}, exposure: {hostnames: [registry.example.com]}}";
    let world = World::new(spec);
    world.api.change(crate::world::OBJECT, |object| {
        object["metadata"]["creationTimestamp"] = "2027-01-15T08:00:00Z".into();
    });
    world.beside(json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry",
        "metadata": {"name": "first", "namespace": "other", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"storage": {"ephemeral": {}}, "exposure": {"hostnames": ["registry.example.com"]}}}));
    world.settle().await;
    assert_eq!(world.condition("ExposureReady"), "False/HostnameTaken");
    let message = world.message("ExposureReady");
    assert!(message.contains("registry.example.com") && message.contains("other/first"), "{message}");
    assert!(world.api.objects().contains_key("/apis/apps/v1/namespaces/tools/deployments/team-registry"));
    assert!(
        world.api.writes().iter().all(|write| !write.contains("/namespaces/other/")),
        "the first one was touched"
    );
}
