//! Names that two registries want.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    watches::{operated, until},
    world::{OBJECT, World},
};

const WANTED: &str =
    "{storage: {ephemeral: {}}, cache: {none: {}}, exposure: {hostnames: [registry.example.com]}}";
const FIRST: &str = "/apis/privateregistry.dev/v1alpha1/namespaces/other/privateregistries/first";

/// An older registry that has the name.
fn first() -> Value {
    json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry",
        "metadata": {"name": "first", "namespace": "other", "uid": "first", "resourceVersion": "1", "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"storage": {"ephemeral": {}}, "suspend": true, "exposure": {"hostnames": ["registry.example.com"]}}})
}

/// Has the operator look at the registry that waits, while the cluster does its part, until it stands still.
async fn stands_still(world: &World) {
    let mut looks = 0;
    until("the registry that waits does not settle", || {
        let moved = world.api.watched("privateregistries") && world.cluster_works();
        let told = world.api.objects()[OBJECT]["status"]["conditions"].is_array();
        if moved {
            looks += 1;
            world.api.change(OBJECT, |object| {
                object["metadata"]["annotations"]["example.com/look"] = looks.to_string().into();
            });
            world.tell();
        }
        told && world.condition("Progressing") == "False/RolledOut"
            && world.condition("ExposureReady") == "False/HostnameTaken"
    })
    .await;
}

/// What `happens` to the registry that has the name wakes the one that waits for it, which by itself looks in a minute.
async fn wakes(happens: impl Fn(&World)) {
    let world = World::new(WANTED);
    world.api.keep(FIRST, first());
    let freed = async {
        stands_still(&world).await;
        happens(&world);
        until("the name is free, and nobody looks", || world.condition("ExposureReady") == "True/Exposed")
            .await;
    };
    operated(&world, &["tools", "other"], &Arc::default(), freed).await;
}

// operator 110
#[tokio::test]
async fn a_name_that_becomes_free_wakes_who_waits_for_it() {
    wakes(|world| {
        world.api.remove(FIRST);
        world.api.tell("DELETED", FIRST, &first());
    })
    .await;
    wakes(|world| {
        world
            .api
            .change(FIRST, |first| first["spec"]["exposure"] = json!({"hostnames": ["another.example.com"]}));
        world.api.tell("MODIFIED", FIRST, &world.api.objects()[FIRST]);
    })
    .await;
}

// operator 110: the second one says whose it is, and the first one is not touched
#[tokio::test]
async fn a_name_that_another_registry_had_first_is_said() {
    let world = World::new(WANTED);
    world.beside(first());
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
