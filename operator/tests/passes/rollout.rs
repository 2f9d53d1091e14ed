//! What runs is replaced in order, and over the pods that are there.

use serde_json::{Value, json};

use crate::world::{SIX_LINES, World};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/tools/deployments/team-registry";
const REDIS: &str = "/apis/apps/v1/namespaces/tools/deployments/team-redis";

/// A registry whose claim several pods can use, so that nothing is tried before.
async fn shared() -> World {
    let world = World::new("{storage: {filesystem: {size: 1Gi, accessMode: ReadWriteMany}}}");
    world.settle().await;
    world
}

fn image(world: &World, path: &str) -> Value {
    world.api.objects()[path]["spec"]["template"]["spec"]["containers"][0]["image"].clone()
}

// operator 118: an operator of another release brings new images of both
#[tokio::test]
async fn redis_is_replaced_before_those_who_use_it() {
    let mut world = shared().await;
    let generation =
        |world: &World, path: &str| world.api.objects()[path]["metadata"]["generation"].as_i64().unwrap();
    let before = [DEPLOYMENT, REDIS].map(|path| generation(&world, path) + 1);
    world.release("registry:2");
    world.release_redis("redis:8");
    world.pass().await.unwrap();
    assert_eq!((image(&world, REDIS), image(&world, DEPLOYMENT)), ("redis:8".into(), "registry:1".into()));
    assert_eq!(world.condition("Progressing"), "True/RollingOut");
    assert!(world.message("Progressing").contains("team-redis"), "{}", world.message("Progressing"));
    world.settle().await;
    assert_eq!(image(&world, DEPLOYMENT), "registry:2");
    assert_eq!(world.condition("Progressing"), "False/RolledOut");
    assert_eq!([DEPLOYMENT, REDIS].map(|path| generation(&world, path)), before, "one roll each");
}

// guarantee 10: a Redis that does not come up, or is away, holds nobody back
#[tokio::test]
async fn a_redis_that_is_away_holds_no_roll_out_back() {
    let stuck = json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"});
    let away = json!({"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"});
    for condition in [stuck, away] {
        let mut world = shared().await;
        world.api.change(REDIS, |redis| {
            redis["metadata"]["generation"] = 2.into();
            redis["status"]["observedGeneration"] = 2.into();
            redis["status"]["readyReplicas"] = 0.into();
            redis["status"]["conditions"] = json!([condition]);
        });
        world.release("registry:2");
        world.pass().await.unwrap();
        assert_eq!(image(&world, DEPLOYMENT), "registry:2", "{condition}");
    }
}

// operator 18: what an operator of another release made, selecting its pods by other labels
#[tokio::test]
async fn a_deployment_with_another_selector_is_made_anew_over_its_pods() {
    let world = shared().await;
    let old = json!({"app": "team"});
    world.api.change(DEPLOYMENT, |deployment| {
        deployment["spec"]["selector"]["matchLabels"] = old.clone();
    });
    let owned = |name: &str, kind: &str, owner: &str, uid: &str| {
        json!({"metadata": {"name": name, "namespace": "tools", "labels": old,
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": uid, "controller": true}]},
            "spec": {"selector": {"matchLabels": old}}})
    };
    let set = "/apis/apps/v1/namespaces/tools/replicasets/team-registry-1";
    let pod = "/api/v1/namespaces/tools/pods/team-registry-1-a";
    world.api.put(set, owned("team-registry-1", "Deployment", "team-registry", "deployments-team-registry"));
    world
        .api
        .put(pod, owned("team-registry-1-a", "ReplicaSet", "team-registry-1", "replicasets-team-registry-1"));
    let foreign = "/api/v1/namespaces/tools/pods/not-ours";
    world.api.put(foreign, owned("not-ours", "ReplicaSet", "another", "replicasets-another"));

    world.pass().await.unwrap();
    assert!(world.api.orphaned().ends_with(DEPLOYMENT), "{}", world.api.orphaned());
    world.settle().await;
    let objects = world.api.objects();
    let selector = objects[DEPLOYMENT]["spec"]["selector"]["matchLabels"].as_object().unwrap();
    for path in [set, pod] {
        for (label, value) in selector {
            assert_eq!(objects[path]["metadata"]["labels"][label], *value, "{path}: {label}");
        }
    }
    assert_eq!(objects[foreign]["metadata"]["labels"], old);
    assert_eq!(world.condition("Ready"), "True/AllReady");
    let told: Vec<String> =
        world.api.events().into_iter().filter(|event| event.starts_with("Replaced")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
}

// guarantee 5: what pods that stay use, and by which they are reached, stays too, and what is said of it is true
#[tokio::test]
async fn what_pods_that_stay_use_stays() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let seen = |world: &World| {
        let objects = world.api.objects();
        let status = &objects[crate::world::OBJECT]["status"];
        let service = &objects["/api/v1/namespaces/tools/services/team-registry"]["spec"];
        let login = &objects["/api/v1/namespaces/tools/secrets/team-redisauth"]["data"];
        json!([service, login, status["url"], status["endpoints"], status["versions"], status["certificate"]])
    };
    let before = seen(&world);
    let other = json!({"redis": {"external": {"addresses": ["127.0.0.1:1"],
        "credentialsSecretRef": {"name": "other"}}}});
    world.set_spec("cache", other);
    world.set_spec("tls", json!({"disabled": {}}));
    world.set_spec("image", json!({"reference": "knows-less:1"}));
    world.settle().await;
    assert_eq!(world.condition("Progressing"), "False/RolloutBlocked");
    assert_eq!(seen(&world), before, "while what is to come does not start");

    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let before = seen(&world);
    world.set_spec("storage", json!({"ephemeral": {}}));
    world.api.change("persistentvolumeclaims/team-data", |claim| claim["metadata"]["uid"] = "another".into());
    world.set_spec("storage", json!({"filesystem": {"size": "1Gi"}}));
    world.set_spec("tls", json!({"disabled": {}}));
    world.settle().await;
    assert_eq!(world.condition("StorageReady"), "False/ClaimLost");
    assert_eq!(seen(&world), before, "while the store is another");
}

// guarantee 10: a trial says nothing of the cache
#[tokio::test]
async fn a_trial_leaves_the_cache_ready() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    world.set_spec("image", json!({"reference": "knows-less:1"}));
    world.settle().await;
    assert_eq!(world.condition("CacheReady"), "True/Connected");
}

// operator 18: what the old one selects by is not taken from under it: then its pods go with it
#[tokio::test]
async fn pods_of_a_deployment_with_a_contradicting_selector_go() {
    let world = shared().await;
    let old = json!({"app.kubernetes.io/name": "registry", "app.kubernetes.io/instance": "team"});
    let store =
        world.api.objects()[DEPLOYMENT]["metadata"]["annotations"]["privateregistry.dev/store"].clone();
    world.api.change(DEPLOYMENT, |deployment| deployment["spec"]["selector"]["matchLabels"] = old.clone());
    world.pass().await.unwrap();
    assert_eq!(world.api.orphaned(), "", "its pods were left behind");
    let made = world.api.objects()[DEPLOYMENT].clone();
    assert_eq!(made["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"], "privateregistry");
    assert_eq!(made["metadata"]["annotations"]["privateregistry.dev/store"], store, "the record is lost");
}

// guarantee 5: while a store is held, what protects the pods stays, and is made again where it is missing
#[tokio::test]
async fn what_protects_pods_that_stay_stays() {
    let mut world =
        World::new("{replicas: 2, storage: {filesystem: {size: 1Gi, accessMode: ReadWriteMany}}}");
    world.settle().await;
    let budget = "/apis/policy/v1/namespaces/tools/poddisruptionbudgets/team-registry";
    let policy = "/apis/networking.k8s.io/v1/namespaces/tools/networkpolicies/team-registry";
    world.api.change("persistentvolumeclaims/team-data", |claim| {
        claim["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z".into();
    });
    world.set_spec("drainTimeout", "30s".into());
    world.settle().await;
    assert_eq!(world.condition("StorageReady"), "False/ClaimLost");
    for path in [budget, policy] {
        assert!(world.api.objects().contains_key(path), "{path} is gone");
        world.api.remove(path);
    }
    world.settle().await;
    for path in [budget, policy] {
        assert!(world.api.objects().contains_key(path), "{path} is not put back");
    }
    // Pods that stay are not said to be gone.
    world.set_spec("suspend", true.into());
    world.settle().await;
    assert_eq!(world.condition("Ready"), "False/ClaimLost");
    assert_ne!(world.condition("Progressing"), "False/Suspended");
}

// Clients come by the port that the Service has, and by the one that it will have.
#[tokio::test]
async fn the_pull_secret_works_for_the_service_as_it_is() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let hosts = |world: &World| {
        let config: Value = serde_json::from_str(&world.secret("team-pull", ".dockerconfigjson")).unwrap();
        config["auths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let host = "team-registry.tools.svc".to_owned();
    world.set_spec("exposure", json!({"service": {"port": 8443}, "hostnames": ["registry.example.com"]}));
    world.set_spec("image", json!({"reference": "knows-less:1"}));
    world.settle().await;
    assert!(
        hosts(&world).contains(&host) && hosts(&world).contains(&format!("{host}:8443")),
        "{:?}",
        hosts(&world)
    );
    assert!(world.message("Ready").ends_with("https://registry.example.com"), "{}", world.message("Ready"));
    world.set_spec("image", Value::Null);
    world.settle().await;
    assert!(
        !hosts(&world).contains(&host) && hosts(&world).contains(&format!("{host}:8443")),
        "{:?}",
        hosts(&world)
    );
    assert!(
        world.message("Ready").ends_with("https://registry.example.com:8443"),
        "{}",
        world.message("Ready")
    );
}
