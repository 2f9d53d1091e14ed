//! The operator ends, is refused or is overtaken at any point of a pass: the next one completes it, and loses nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    fake_api::Fault,
    world::{OBJECT, SIX_LINES, World},
};

/// Values that are made once: they may differ between two worlds, never between two passes.
fn made_once(objects: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let secrets = objects.iter().filter(|(path, _)| path.contains("/secrets/"));
    secrets.map(|(path, secret)| (path.clone(), secret["data"].clone())).collect()
}

/// What a world looks like beside random values: names, and all but Secrets and what follows from their content.
fn shape(objects: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let volatile = ["resourceVersion", "uid", "generation", "managedFields"];
    objects
        .iter()
        .map(|(path, object)| {
            let mut object = object.clone();
            for key in volatile {
                object["metadata"].as_object_mut().unwrap().remove(key);
            }
            for key in ["privateregistry.dev/applied", "privateregistry.dev/sources"] {
                object["metadata"]["annotations"].as_object_mut().map(|all| all.remove(key));
            }
            let annotations =
                object.pointer_mut("/spec/template/metadata/annotations").and_then(Value::as_object_mut);
            annotations.map(|all| all.remove("privateregistry.dev/secrets-hash"));
            let secret = path.contains("/secrets/") || path.contains("-trust");
            for key in ["data", "status"] {
                if secret || key == "status" {
                    object.as_object_mut().unwrap().remove(key);
                }
            }
            (path.clone(), object)
        })
        .collect()
}

/// Events that say the same.
fn told_twice(world: &World) -> Vec<String> {
    let mut events = world.api.events();
    events.sort();
    events.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0].clone()).collect()
}

// What happens once is told once.
#[tokio::test]
async fn a_new_registry_says_what_it_has_made() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let events = world.api.events();
    for (reason, named) in [
        ("Created", "Deployment team-registry"),
        ("CredentialsGenerated", "team.admin"),
        ("CertificateIssued", "team-registry.tools.svc"),
    ] {
        let told: Vec<&String> = events.iter().filter(|event| event.starts_with(reason)).collect();
        assert_eq!(told.len(), 1, "{reason}: {events:?}");
        assert!(told[0].contains(named), "{told:?}");
    }
    assert_eq!(told_twice(&world), Vec::<String>::new());
}

// operator 2, operator 8, guarantee 1
#[tokio::test]
async fn a_pass_over_an_unchanged_registry_writes_nothing() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let (writes, events) = (world.api.writes().len(), world.api.events());
    for _ in 0..20 {
        world.pass().await.unwrap();
    }
    assert_eq!(&world.api.writes()[writes..], &[] as &[String]);
    assert_eq!(world.api.events(), events);
}

// operator 6: the operator is killed after each single write of the first passes
#[tokio::test]
async fn a_pass_that_ends_after_any_write_is_completed_by_the_next() {
    let calm = World::new(SIX_LINES);
    calm.settle().await;
    let expected = shape(&calm.api.objects());
    let writes = calm.api.writes().len();
    assert!(writes > 15, "{writes}");
    for nth in 0..writes {
        let world = World::new(SIX_LINES);
        world.api.fail(nth, Fault::Cut);
        while !world.api.failed() {
            let _cut_off = world.pass().await;
            world.cluster_works();
        }
        let first = made_once(&world.api.objects());
        world.settle().await;
        let last = made_once(&world.api.objects());
        for (path, data) in first {
            // The password file is completed; what is in it already is not made again.
            let partial = path.ends_with("team-htpasswd") || path.ends_with("team-tls");
            assert!(partial || last[&path] == data, "{path} was made twice after write {nth}");
        }
        assert_eq!(shape(&world.api.objects()), expected, "write {nth}");
    }
}

// operator 73
#[tokio::test]
async fn refused_writes_lead_to_the_same_children() {
    let calm = World::new(SIX_LINES);
    calm.settle().await;
    let expected = shape(&calm.api.objects());
    for (nth, code) in (0..calm.api.writes().len()).flat_map(|nth| [409, 429, 503].map(|code| (nth, code))) {
        let world = World::new(SIX_LINES);
        world.api.fail(nth, Fault::Refused(code));
        world.settle().await;
        assert_eq!(shape(&world.api.objects()), expected, "{code} on write {nth}");
        assert_eq!(told_twice(&world), Vec::<String>::new(), "{code} on write {nth}");
    }
}

// operator 120, guarantee 3: another replica made the Secret first
#[tokio::test]
async fn the_winner_of_a_race_for_a_secret_is_believed() {
    let first = World::new(SIX_LINES);
    first.settle().await;
    for name in ["team.admin", "team-ca", "team-pull", "team-redisauth"] {
        let path = format!("/api/v1/namespaces/tools/secrets/{name}");
        let second = World::new(SIX_LINES);
        // Between our look and our write.
        second.api.steal(&path, first.api.objects()[&path].clone());
        second.settle().await;
        let winner = &first.api.objects()[&path]["data"];
        assert_eq!(*winner, second.api.objects()[&path]["data"], "{name}");
    }
}

// A password that somebody sets after a pass has read the old one is theirs, and not put back.
#[tokio::test]
async fn what_is_changed_during_a_pass_is_not_lost() {
    let config = r#"{"auths": {"team-registry.tools.svc": {"password": "another"}}}"#;
    for (name, key, value) in [
        ("team.admin", "password", "another"),
        ("team-redisauth", "password", "another"),
        ("team-pull", ".dockerconfigjson", config),
    ] {
        let world = World::new(SIX_LINES);
        world.settle().await;
        world.race_secret(name, key, value);
        let passed = world.pass().await;
        assert!(world.api.raced(), "{name} was not read");
        assert!(passed.is_err() || world.secret(name, key).contains("another"), "{name}");
        world.settle().await;
        assert!(world.secret(name, key).contains("another"), "{name}: {}", world.secret(name, key));
        assert!(!world.api.events().iter().any(|event| event.starts_with("Reverted")), "{name}");
    }
}

// guarantee 7: what somebody makes between a read and our first write is theirs
#[tokio::test]
async fn what_is_made_in_the_meantime_is_not_taken_over() {
    let calm = World::new(SIX_LINES);
    calm.settle().await;
    let children = calm.api.objects().into_keys().filter(|path| path != OBJECT);
    for path in children {
        // The boot file's name follows from the claim's uid, and is the same in every world.
        let (_, name) = path.rsplit_once('/').unwrap();
        let theirs = json!({"metadata": {"name": name, "namespace": "tools", "labels": {"app": "theirs"}}, "data": {}});
        let world = World::new(SIX_LINES);
        world.api.steal(&path, theirs);
        for _ in 0..6 {
            let _refused = world.pass().await;
        }
        let found = world.api.objects()[&path].clone();
        assert_eq!(found["metadata"]["labels"], json!({"app": "theirs"}), "{path}");
        assert!(found["metadata"]["ownerReferences"].is_null(), "{path}");
        assert!(world.api.writes().iter().any(|write| *write == format!("POST {path}")), "{path}");
    }
}

// What came with the first write goes like everything else, also when the operator ended right after it.
#[tokio::test]
async fn a_field_of_the_first_write_goes_when_nobody_wants_it() {
    let spec = "{storage: {filesystem: {size: 1Gi}}, pod: {nodeSelector: {disk: fast}}}";
    let calm = World::new(spec);
    calm.settle().await;
    for nth in 0..calm.api.writes().len() {
        let mut world = World::new(spec);
        world.api.fail(nth, Fault::Cut);
        world.settle().await;
        world.set_spec("pod", Value::Null);
        world.settle().await;
        let deployment = "/apis/apps/v1/namespaces/tools/deployments/team-registry";
        let pod = world.api.objects()[deployment]["spec"]["template"]["spec"].clone();
        assert!(pod["nodeSelector"].is_null(), "write {nth}: {pod}");
    }
}
