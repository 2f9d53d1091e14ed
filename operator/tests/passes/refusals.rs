//! What the cluster does not let the operator do is said.

use operator::private_registry::error::PassError;
use serde_json::json;

use crate::world::{OBJECT, SIX_LINES, World};

// operator 54
#[tokio::test]
async fn nothing_is_made_or_said_in_a_namespace_that_is_being_deleted() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let status = world.api.objects()[OBJECT]["status"].clone();
    world.api.terminate();
    world.api.remove("services/team-admin");
    world.api.remove("deployments/team-registry");
    let before = world.api.writes().len();
    let error = world.pass().await.unwrap_err();
    assert!(matches!(error, PassError::Terminating), "{error:?}");
    assert!(!error.concerns_the_object());
    assert_eq!(world.api.writes().len(), before + 1, "the first refusal ends the pass");
    assert_eq!(world.api.objects()[OBJECT]["status"], status);
}

// crd.md section 7, adoption
#[tokio::test]
async fn a_foreign_object_at_a_childs_name_is_never_changed() {
    let world = World::new(SIX_LINES);
    let path = "/api/v1/namespaces/tools/secrets/team.admin";
    let foreign = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "team.admin", "namespace": "tools"},
        "data": {"password": "eA=="}});
    world.api.put(path, foreign);
    let before = world.api.objects()[path].clone();
    assert!(world.pass().await.is_err());
    assert!(world.pass().await.is_err());
    assert_eq!(world.api.objects()[path], before);
}

// operator 74
#[tokio::test]
async fn a_crd_that_lacks_fields_is_said() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    world.api.undeclared("endpoints");
    world.set_spec("readOnly", true.into());
    let mut said = None;
    for _ in 0..5 {
        let error = world.pass().await.unwrap_err();
        assert_eq!(error.reason(), "CRDOutdated");
        world.fail(&error).await;
        world.cluster_works();
        let status = world.api.objects()[OBJECT]["metadata"]["resourceVersion"].clone();
        // One that wakes itself by what it says would never rest.
        assert_eq!(*said.get_or_insert_with(|| status.clone()), status);
    }
    assert_eq!(world.condition("Ready"), "False/CRDOutdated");
    let told = world.api.events().into_iter().filter(|event| event.starts_with("CRDOutdated")).count();
    assert_eq!(told, 1, "{:?}", world.api.events());
}

// operator 87: what the API server refuses is said, once, and the other children go on
#[tokio::test]
async fn a_child_that_the_cluster_refuses_is_said() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    world.api.refuse("deployments/team-registry");
    world.set_spec("pod", json!({"labels": {"bad label": "x"}}));
    for _ in 0..3 {
        let error = world.pass().await.unwrap_err();
        world.fail(&error).await;
    }
    assert_eq!(world.condition("Ready"), "False/InvalidSpec");
    assert_eq!(world.condition("Available"), "True/PodsReady");
    let told: Vec<String> =
        world.api.events().into_iter().filter(|event| event.starts_with("InvalidSpec")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("team-registry") && told[0].contains("refused by the test"), "{told:?}");
}

// operator 28: a claim that cannot be changed serves on
#[tokio::test]
async fn a_claim_that_the_cluster_refuses_to_change_serves_on() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let classes = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"},
        "provisioner": "p", "allowVolumeExpansion": true});
    world.api.put("/apis/storage.k8s.io/v1/storageclasses/fast", classes);
    world.api.change("persistentvolumeclaims/team-data", |claim| {
        claim["spec"]["storageClassName"] = "fast".into()
    });
    world.api.refuse("persistentvolumeclaims/team-data");
    world.set_spec("storage", json!({"filesystem": {"size": "2Gi"}}));
    world.pass().await.unwrap();
    assert_eq!(world.condition("VolumeResizing"), "False/ExpansionFailed");
    assert_eq!(world.condition("Ready"), "True/AllReady");
}

// A field that does not exist is an error of the API server's own under server-side apply, and the user's to mend.
#[tokio::test]
async fn a_field_that_no_child_has_is_said() {
    // At the first creation, and later.
    let first = World::new("{storage: {ephemeral: {}}, pod: {template: {spec: {hostnam: x}}}}");
    first.api.undeclared_in_children("hostnam");
    let error = first.pass().await.unwrap_err();
    assert!(error.concerns_the_object() && error.to_string().contains("hostnam"), "{error}");
    assert!(!first.api.objects().keys().any(|path| path.ends_with("deployments/team-registry")));
    // What was said at the beginning stays beside what is wrong.
    first.fail(&error).await;
    assert_eq!(first.condition("Ready"), "False/InvalidSpec");
    assert_eq!(first.api.objects()[OBJECT]["status"]["conditions"].as_array().unwrap().len(), 10);

    let mut world = World::new(SIX_LINES);
    world.settle().await;
    world.api.undeclared_in_children("hostnam");
    world.set_spec("pod", json!({"template": {"spec": {"hostnam": "x"}}}));
    let mut error = world.pass().await.err();
    for _ in 0..5 {
        world.cluster_works();
        error = error.or(world.pass().await.err());
    }
    let error = error.unwrap();
    assert!(error.concerns_the_object(), "{error}");
    assert!(error.to_string().contains("hostnam") && error.to_string().contains("correct"), "{error}");
}

// The type of a Secret cannot be changed, also not of one that the user lets us take over.
#[test]
fn what_cannot_be_changed_has_a_way_out() {
    let said = "type: Invalid value: field is immutable".to_owned();
    let refused = PassError::Refused { kind: "Secret".into(), name: "team.admin".into(), said };
    assert!(refused.to_string().contains("made anew"), "{refused}");
}
