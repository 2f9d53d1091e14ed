//! The volume: it grows, it is kept, and it is never sent smaller.

use operator::private_registry::desired::volume_claim::{Present, volume_claim};
use serde_json::Value;

use crate::sample::{SIX_LINES, child, model};

// operator 32: what is kept has no owner, unless the user said Delete
#[test]
fn kept_children_have_an_owner_under_delete_only() {
    let deleted = format!("{{deletionPolicy: Delete, {SIX_LINES}}}");
    for name in [
        "PersistentVolumeClaim/team-data",
        "Secret/team-ca",
        "Secret/team.admin",
        "Secret/team-pull",
        "Secret/team-htpasswd",
    ] {
        let kept = child(&model("team", SIX_LINES), name).unwrap();
        assert_eq!(kept["metadata"]["ownerReferences"], Value::Null, "{name}");
        assert_eq!(kept["metadata"]["annotations"]["privateregistry.dev/registry"], "team", "{name}");
        let owned = child(&model("team", &deleted), name).unwrap();
        assert_eq!(owned["metadata"]["ownerReferences"][0]["uid"], "u", "{name}");
    }
}

// operator 88: a claim enlarged by hand is never sent smaller; operator 28: one that cannot grow keeps its size
#[test]
fn a_claim_is_never_sent_smaller_nor_larger_than_it_can_be() {
    let model = model("team", SIX_LINES);
    for (requested, fixed, sent) in [
        (None, false, "1Gi"),
        (Some("512Mi"), false, "1Gi"),
        (Some("2Gi"), false, "2Gi"),
        (Some("512Mi"), true, "512Mi"),
    ] {
        let present = Present { requested: requested.map(str::to_owned), fixed, initialized: false };
        let claim = volume_claim(&model, &present).unwrap();
        assert_eq!(claim["spec"]["resources"]["requests"]["storage"], sent);
    }
}

#[test]
fn a_claim_of_the_users_is_mounted_and_never_written() {
    let model = model("team", "{storage: {filesystem: {existingClaimName: old}}}");
    assert_eq!(volume_claim(&model, &Present::default()), None);
    let pods = child(&model, "Deployment/team-registry").unwrap()["spec"]["template"]["spec"].clone();
    let data = pods["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == "data").unwrap();
    assert_eq!(data["persistentVolumeClaim"]["claimName"], "old");
}

// seed D11: the server starts on the volume that it knows only
#[test]
fn the_server_knows_the_identity_of_its_volume() {
    let all = crate::sample::every_child(&model("team", SIX_LINES));
    let boot =
        all.iter().find(|child| crate::sample::key(child).starts_with("ConfigMap/team-config-")).unwrap();
    assert!(boot["data"]["config.yml"].as_str().unwrap().contains("identity: claim-uid"), "{boot}");
    let live = child(&model("team", SIX_LINES), "ConfigMap/team-live").unwrap();
    assert!(!live["data"]["live.yml"].as_str().unwrap().contains("initialize: true"), "{live}");
}
