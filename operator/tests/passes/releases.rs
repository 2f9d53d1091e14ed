//! What former releases made, recorded on a real cluster (`e2e/record-release.sh`), under the operator of today.

use operator::cluster::subset::contains;
use serde_json::{Value, json};

use crate::world::{OBJECT, SIX_LINES, World};

const RECORDED: &[(&str, &str)] = &[("0.1.0", include_str!("releases/0.1.0.yaml"))];

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/tools/deployments/team-registry";

fn path(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap();
    let resource = match kind {
        "NetworkPolicy" => "networkpolicies".to_owned(),
        other => format!("{}s", other.to_lowercase()),
    };
    let version = object["apiVersion"].as_str().unwrap();
    let root = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
    format!("{root}/namespaces/tools/{resource}/{}", object["metadata"]["name"].as_str().unwrap())
}

// operator 119, operator 117: converges in place, and with the same image no pod is replaced
#[tokio::test]
async fn what_a_former_release_made_stays_and_is_taken_on() {
    for (release, recorded) in RECORDED {
        let mut world = World::new(SIX_LINES);
        let list: Value = serde_saphyr::from_str(recorded).unwrap();
        for object in list["items"].as_array().unwrap() {
            world.api.keep(&path(object), object.clone());
        }
        let before = world.api.objects();
        let old = &before[DEPLOYMENT];
        let owner = old["metadata"]["ownerReferences"][0]["uid"].clone();
        // Something was said about it: it is no new object.
        let ready = json!({"type": "Ready", "status": "True", "reason": "AllReady", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"});
        world.api.change(OBJECT, |object| {
            object["metadata"]["uid"] = owner;
            object["status"] = json!({"observedGeneration": 1, "conditions": [ready]});
        });
        world.release(old["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap());
        world.settle().await;

        let after = world.api.objects();
        // What is sent says nothing that was not so: the fake has no defaults, and forgets them in lists that are sent.
        let (template, was) = (&after[DEPLOYMENT]["spec"]["template"], &old["spec"]["template"]);
        assert!(contains(was, template), "{release}: a roll from {was} to {template}");
        let writes = world.api.writes();
        let touched = |part: &str| writes.iter().filter(|write| write.contains(part)).count();
        assert_eq!(touched("DELETE"), 0, "{release}: {writes:?}");
        assert_eq!(touched("persistentvolumeclaims"), 0, "{release}: {writes:?}");
        for path in before.keys() {
            let count =
                writes.iter().filter(|write| write.split_once(' ').is_some_and(|(_, of)| of == path)).count();
            assert!(count <= 1, "{release}: {path} in {writes:?}");
            assert!(after.contains_key(path), "{release}: {path} is gone");
        }
        assert_eq!(world.condition("Ready"), "True/AllReady", "{release}");
    }
}
