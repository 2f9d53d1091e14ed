//! Each field there and back: the children come back to the same bytes.

mod leaves;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use kube::core::cel::validate_cel;
use operator::crd::registry::PrivateRegistry;
use serde_json::{Value, json};

use self::tables::{FIELDS, LATER};
use crate::{
    inputs::{own_pair, put_secret},
    oidc::keys,
    world::{OBJECT, World},
};

/// A line that logs in with a weak hash.
const WEAK: &str = "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n";

/// What the tables' objects name.
fn put_inputs(world: &World) {
    let mut set: Value = serde_json::from_str(&keys("cluster")).unwrap();
    set["metadata"] = json!({});
    world.api.keep("/openid/v1/jwks", set);
    let discovery = json!({"metadata": {}, "issuer": "https://kubernetes.default.svc"});
    world.api.keep("/.well-known/openid-configuration", discovery);
    for name in ["own", "another", "login", "file"] {
        let pair = own_pair(world);
        let (other, file) = (format!("{name}:{{SHA}}another"), format!("{WEAK}{name}:{{SHA}}{name}\n"));
        let data = [
            ("tls.crt", pair.certificate.as_str()),
            ("tls.key", &pair.key),
            ("ca.crt", &pair.certificate),
            ("username", name),
            ("password", name),
            ("other", &other),
            ("htpasswd", &file),
        ];
        put_secret(world, name, &data);
    }
    let ca = || own_pair(world).certificate;
    for name in ["bundle", "keys"] {
        let data = json!({"ca.crt": ca(), "other.crt": ca(),
            "jwks.json": keys(name), "other.json": keys("other")});
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "tools"},
            "data": data});
        world.api.put(&format!("/api/v1/namespaces/tools/configmaps/{name}"), map);
    }
}

/// What each child says, without what counts its changes.
fn said(world: &World) -> BTreeMap<String, Value> {
    let mut all = world.api.objects();
    all.retain(|path, _| !path.contains("privateregistries") && !path.contains("configmaps/team-config-"));
    let anew = made_anew(world);
    for (path, object) in &mut all {
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.retain(|key, _| !["resourceVersion", "generation", "managedFields"].contains(&key.as_str()));
        if anew.iter().any(|name| path.ends_with(name)) {
            object["data"] = json!(object["data"].as_object().unwrap().keys().collect::<Vec<_>>());
            object["metadata"]["annotations"] = Value::Null;
        }
        if path.ends_with("deployments/team-redis") {
            object["metadata"]["annotations"] = Value::Null;
            object["spec"]["template"]["metadata"]["annotations"] = Value::Null;
        }
        object.as_object_mut().unwrap().remove("status");
    }
    let there = all.keys().any(|path| path.ends_with("secrets/team-htpasswd"));
    let accounts = if there { world.secret("team-htpasswd", "htpasswd") } else { String::new() };
    let names = accounts.lines().map(|line| line.split(':').next().unwrap().to_owned()).collect();
    all.insert("names of accounts".into(), names);
    all
}

/// Secrets of which the keys are compared: a certificate is issued anew, a hash gets another salt, and a Redis that comes
/// again has another password. What is the user's comes back as it was.
fn made_anew(world: &World) -> Vec<&'static str> {
    let issued = world.spec("tls")["secretRef"].is_null().then_some("secrets/team-tls");
    let generated = world.spec("cache")["redis"]["external"].is_null().then_some("secrets/team-redisauth");
    ["secrets/team-htpasswd"].into_iter().chain(issued).chain(generated).collect()
}

fn differing(one: &BTreeMap<String, Value>, other: &BTreeMap<String, Value>) -> BTreeSet<String> {
    one.keys().chain(other.keys()).filter(|path| one.get(*path) != other.get(*path)).cloned().collect()
}

/// `resourceVersion` of every child.
fn versions(world: &World) -> BTreeMap<String, Value> {
    let mut all = world.api.objects();
    all.remove(OBJECT);
    all.into_iter().map(|(path, object)| (path, object["metadata"]["resourceVersion"].clone())).collect()
}

/// Sets the leaf, which the API server would let through; gives the paths of the children that are not as they were.
async fn changed_by(world: &mut World, pointer: &str, value: &str) -> BTreeSet<String> {
    let before = versions(world);
    let mut object = world.api.objects()[OBJECT].clone();
    leaves::set(&mut object["spec"], pointer, serde_saphyr::from_str(value).unwrap());
    let (spec, object) = (object["spec"].clone(), serde_json::from_value::<PrivateRegistry>(object).unwrap());
    assert!(validate_cel(&object).is_ok(), "{pointer}: {value}: {:?}", validate_cel(&object));
    let field = pointer.split('/').nth(1).unwrap();
    world.set_spec(field, spec[field].clone());
    world.settle().await;
    differing(&before, &versions(world))
}

// guarantee 2, guarantee 7: what a field brought goes with it
#[tokio::test]
async fn each_field_comes_back_to_the_same_bytes() {
    for (spec, rows) in FIELDS {
        let mut world = World::new(spec);
        put_inputs(&world);
        world.settle().await;
        let (before, old) = (said(&world), world.api.objects()[OBJECT]["spec"].clone());
        for (pointer, value, follower) in *rows {
            let changed = changed_by(&mut world, pointer, value).await;
            let followed = changed.iter().any(|path| path.ends_with(follower));
            let expected = if *follower == LATER { changed.is_empty() } else { followed };
            assert!(expected, "{spec}: {pointer}: {value} changed {changed:?}");
            let field = pointer.split('/').nth(1).unwrap();
            world.set_spec(field, old[field].clone());
            world.settle().await;
            let after = differing(&before, &said(&world));
            assert!(after.is_empty(), "{spec}: {pointer}: {value} and back: {after:?}");
        }
    }
}

/// Leaves that the tables do not set alone, and why.
const NOT_ALONE: &[(&str, &str)] = &[
    ("/storage/filesystem/size", "a volume only grows: tests of its claim"),
    ("/storage/filesystem/storageClassName", "it cannot be changed: tests of rules"),
    ("/storage/filesystem/accessMode", "it cannot be changed: tests of rules"),
    ("/storage/filesystem/existingClaimName", "it cannot be changed: tests of rules"),
    ("/cache/redis/external/mode", "each has addresses of its own: they are set together"),
];

#[test]
fn every_leaf_of_the_spec_is_set_alone() {
    let all = leaves::all();
    let rows = FIELDS.iter().flat_map(|(_, rows)| *rows);
    let set = rows
        .map(|(pointer, value, _)| leaves::set_by(pointer, &serde_saphyr::from_str(value).unwrap(), &all));
    let alone: BTreeSet<String> = set.filter(|set| set.len() == 1).flatten().collect();
    let excepted: BTreeSet<String> = NOT_ALONE.iter().map(|(leaf, _)| (*leaf).to_owned()).collect();
    assert_eq!(all.difference(&alone).cloned().collect::<BTreeSet<_>>(), excepted);
}
