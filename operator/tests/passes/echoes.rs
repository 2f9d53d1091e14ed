//! What a pass has written, and what it knows of objects without their labels.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::json;

use crate::world::{SIX_LINES, World};

const SERVICE: &str = "/api/v1/namespaces/tools/services/team-registry";

fn metadata(world: &World, path: &str) -> ObjectMeta {
    let metadata = world.api.objects()[path]["metadata"].clone();
    let text = |key: &str| metadata[key].as_str().map(str::to_owned);
    ObjectMeta { uid: text("uid"), resource_version: text("resourceVersion"), ..ObjectMeta::default() }
}

// A pass makes the pull Secret before it changes the Service: the port that it gets then is news.
#[tokio::test]
async fn what_a_pass_makes_is_no_news_and_a_changed_service_is() {
    let mut world = World::new(SIX_LINES);
    world.pass().await.unwrap();
    for path in [
        SERVICE,
        "/api/v1/namespaces/tools/secrets/team-pull",
        "/api/v1/namespaces/tools/configmaps/team-live",
    ] {
        assert!(world.echoes().heard(&metadata(&world, path)), "{path}");
    }
    world.settle().await;
    let before = metadata(&world, SERVICE);
    world.echoes().heard(&before);
    world.set_spec("exposure", json!({"service": {"type": "NodePort"}}));
    world.pass().await.unwrap();
    let after = metadata(&world, SERVICE);
    assert_ne!(after.resource_version, before.resource_version);
    assert!(!world.echoes().heard(&after), "nobody would look at the new port");
}

// Without its labels a child is not listed, and is ours all the same
#[tokio::test]
async fn a_child_without_its_labels_gets_them_back() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let paths: Vec<String> =
        world.api.objects().into_keys().filter(|path| !path.contains("privateregistries")).collect();
    for path in
        paths.iter().filter(|path| !world.api.objects()[*path]["metadata"]["ownerReferences"].is_null())
    {
        let before = world.api.objects()[path]["metadata"]["labels"].clone();
        world.api.change(path, |child| child["metadata"]["labels"] = json!({"a": "b"}));
        world.settle().await;
        let labels = &world.api.objects()[path]["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/managed-by"], before["app.kubernetes.io/managed-by"], "{path}");
    }
}
