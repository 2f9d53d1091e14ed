//! An object changes: its children follow, what is others' stays.

use serde_json::{Value, json};

use crate::world::{OBJECT, SIX_LINES, World};

// operator 32: what is kept belongs to nobody, and is owned under Delete only
#[tokio::test]
async fn owners_come_and_go_with_the_deletion_policy() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let owners = |world: &World, name: &str| {
        let objects = world.api.objects();
        let found = objects.iter().find(|(path, _)| path.ends_with(name)).unwrap().1;
        found["metadata"]["ownerReferences"].as_array().map_or(0, Vec::len)
    };
    for (policy, expected) in [("Delete", 1), ("Retain", 0)] {
        world.set_spec("deletionPolicy", policy.into());
        world.settle().await;
        for name in ["secrets/team-ca", "secrets/team.admin", "persistentvolumeclaims/team-data"] {
            assert_eq!(owners(&world, name), expected, "{name} under {policy}");
        }
    }
}

// operator 32: a CA that is not used any more has the same fate, and a volume that is not used any more stays
#[tokio::test]
async fn the_policy_holds_for_a_ca_that_is_not_used_any_more() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    world.set_spec("tls", json!({"disabled": {}}));
    for (policy, expected) in [("Delete", 1), ("Retain", 0), ("Delete", 1)] {
        world.set_spec("deletionPolicy", policy.into());
        world.settle().await;
        let objects = world.api.objects();
        let found = objects.iter().find(|(path, _)| path.ends_with("secrets/team-ca")).unwrap().1;
        let owners = found["metadata"]["ownerReferences"].as_array().map_or(0, Vec::len);
        assert_eq!(owners, expected, "under {policy}");
        let before = world.api.writes().len();
        world.settle().await;
        assert_eq!(world.api.writes().len(), before, "a pass over what is so wrote");
    }
}

// operator 23: what is switched off leaves nothing behind
#[tokio::test]
async fn what_is_switched_off_goes() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let before: Vec<String> = world.api.objects().into_keys().collect();
    world.set_spec("cache", json!({"none": {}}));
    world.set_spec("networkPolicy", json!({"mode": "Disabled"}));
    world.set_spec("tls", json!({"disabled": {}}));
    world.settle().await;
    let after: Vec<String> = world.api.objects().into_keys().collect();
    for gone in ["redis", "networkpolicies", "team-tls", "team-trust"] {
        assert!(before.iter().any(|path| path.contains(gone)), "{gone}");
        assert!(!after.iter().any(|path| path.contains(gone)), "{gone} in {after:?}");
    }
    assert!(after.iter().any(|path| path.ends_with("team-ca")), "clients trust the CA: it stays");
}

// operator 22
#[tokio::test]
async fn several_changes_are_one_write() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let before = world.api.writes().len();
    world.set_spec("image", json!({"reference": "other:1"}));
    world.set_spec("pod", json!({"nodeSelector": {"a": "b"}}));
    world.set_spec("drainTimeout", "30s".into());
    world.settle().await;
    let writes = world.api.writes();
    let deployments =
        writes[before..].iter().filter(|write| write.ends_with("deployments/team-registry")).count();
    assert_eq!(deployments, 1, "{writes:?}");
}

// operator 89, guarantee 5: where the old pod has to go first, what is to replace it is seen to start before
#[tokio::test]
async fn an_image_is_tried_before_the_pod_that_serves_is_replaced() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let image = |world: &World| {
        let path = "/apis/apps/v1/namespaces/tools/deployments/team-registry";
        world.api.objects()[path]["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    let old = image(&world);
    for (reference, state, words) in [
        ("nobody-has-this:1", "True/RollingOut", "ErrImagePull: not found"),
        ("knows-less:1", "False/RolloutBlocked", "redis.mastername: unknown key"),
    ] {
        world.set_spec("image", json!({"reference": reference}));
        world.settle().await;
        assert_eq!(
            (image(&world), world.condition("Progressing").as_str()),
            (old.clone(), state),
            "{reference}"
        );
        assert!(world.message("Progressing").contains(words), "{}", world.message("Progressing"));
        assert_eq!(world.condition("Ready"), "True/AllReady");
    }
    // What is changed besides waits: pods that stay are reached as they are.
    let service = |world: &World| {
        world.api.objects()["/api/v1/namespaces/tools/services/team-registry"]["spec"].clone()
    };
    let (reached, url) = (service(&world), world.message("Ready"));
    world.set_spec("tls", json!({"disabled": {}}));
    world.settle().await;
    assert_eq!((service(&world), world.message("Ready")), (reached, url));
    world.set_spec("tls", Value::Null);
    world.settle().await;
    // The pod that serves is away for a moment: what was found bad stays so.
    let path = "/apis/apps/v1/namespaces/tools/deployments/team-registry";
    world.api.change(path, |deployment| deployment["status"]["readyReplicas"] = 0.into());
    world.pass().await.unwrap();
    assert_eq!(image(&world), old, "the bad image came in while no pod was ready");
    world.set_spec("image", json!({"reference": "nobody-has-this:1"}));
    world.now += 601;
    world.settle().await;
    assert_eq!(world.condition("Progressing"), "False/RolloutBlocked");
    for (reference, after) in [(None, old.clone()), (Some("good:1"), "good:1".into())] {
        world.set_spec("image", reference.map_or(Value::Null, |reference| json!({"reference": reference})));
        world.settle().await;
        assert_eq!((image(&world), world.condition("Progressing").as_str()), (after, "False/RolledOut"));
        assert!(
            !world.api.objects().keys().any(|path| path.ends_with("team-trial")),
            "the trial is left behind"
        );
    }
}

// Policies of the cluster may rewrite what we send: that is no change of ours, and tries nothing.
#[tokio::test]
async fn an_image_that_admission_rewrites_is_not_tried_again_and_again() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let path = "/apis/apps/v1/namespaces/tools/deployments/team-registry";
    world.api.change(path, |deployment| {
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "mirror/registry:1".into();
    });
    world.pass().await.unwrap();
    assert!(!world.api.writes().iter().any(|write| write.ends_with("/pods")), "{:?}", world.api.writes());
}

// The operator's own image is bad, and then good again: nobody touched the object.
#[tokio::test]
async fn a_failed_trial_goes_when_the_operator_is_rolled_back() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    world.release("knows-less:1");
    world.settle().await;
    assert_eq!(world.condition("Progressing"), "False/RolloutBlocked");
    world.release("registry:1");
    world.settle().await;
    assert_eq!(world.condition("Progressing"), "False/RolledOut");
    assert!(!world.api.objects().keys().any(|path| path.ends_with("team-trial")), "the trial is left behind");
}

// operator 16: what others set is kept, what is ours is put back with an Event
#[tokio::test]
async fn a_changed_child_is_put_back_and_additions_stay() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    world.api.change("deployments/team-registry", |deployment| {
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "evil:1".into();
        deployment["metadata"]["annotations"]["mine"] = "yes".into();
        deployment["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
            "now".into();
    });
    world.settle().await;
    let objects = world.api.objects();
    let deployment = &objects["/apis/apps/v1/namespaces/tools/deployments/team-registry"];
    assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0]["image"], "registry:1");
    assert_eq!(deployment["metadata"]["annotations"]["mine"], "yes");
    assert_eq!(
        deployment["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"],
        "now"
    );
    assert!(world.api.events().iter().any(|event| event.starts_with("Reverted")), "{:?}", world.api.events());
}

// crd.md section 6: paused means no write to any child, and the status says so
#[tokio::test]
async fn a_paused_registry_is_not_written() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    world.annotate("privateregistry.dev/paused", "true");
    world.set_spec("readOnly", true.into());
    let before = world.api.writes().len();
    world.settle().await;
    let writes = world.api.writes()[before..].to_vec();
    assert!(writes.iter().all(|write| write.ends_with("/status")), "{writes:?}");
    assert_eq!(world.condition("Progressing"), "False/Paused");
    world.annotate("privateregistry.dev/paused", "false");
    world.settle().await;
    assert_eq!(world.condition("Progressing"), "False/RolledOut");
}

// guarantee 6: what an earlier Delete put under the owner's fate is taken out of it, also while a store is held
#[tokio::test]
async fn retain_holds_for_a_store_that_is_held() {
    let mut world = World::new(SIX_LINES);
    world.set_spec("deletionPolicy", "Delete".into());
    world.settle().await;
    world.set_spec("storage", json!({"ephemeral": {}}));
    world.settle().await;
    assert_eq!(world.condition("StorageReady"), "False/BackendChanged");
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "backup", "uid": "of-somebody-else"});
    world.api.change("persistentvolumeclaims/team-data", |claim| {
        claim["metadata"]["ownerReferences"].as_array_mut().unwrap().push(other.clone());
    });
    world.set_spec("deletionPolicy", "Retain".into());
    world.settle().await;
    let claim = world.api.objects()["/api/v1/namespaces/tools/persistentvolumeclaims/team-data"].clone();
    assert_eq!(claim["metadata"]["ownerReferences"], json!([other]));
}

// While nobody may write nothing is tidied: it is done afterwards.
#[tokio::test]
async fn what_was_switched_off_while_paused_goes_afterwards() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    world.annotate("privateregistry.dev/paused", "true");
    world.set_spec("networkPolicy", json!({"mode": "Disabled"}));
    world.settle().await;
    assert!(world.api.objects().keys().any(|path| path.contains("networkpolicies")));
    world.annotate("privateregistry.dev/paused", "false");
    world.settle().await;
    assert!(!world.api.objects().keys().any(|path| path.contains("networkpolicies")));
}

// operator 14: a boot file stays while a ReplicaSet mounts it
#[tokio::test]
async fn a_boot_file_stays_while_a_replica_set_mounts_it() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let boots = |world: &World| {
        let objects = world.api.objects();
        objects.into_keys().filter(|path| path.contains("/team-config-")).collect::<Vec<_>>()
    };
    let first = boots(&world);
    let mounted = first[0].rsplit('/').next().unwrap().to_owned();
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "team-registry-1", "namespace": "tools",
        "labels": {"app.kubernetes.io/instance": "team"}},
        "spec": {"template": {"spec": {"volumes": [{"name": "boot", "configMap": {"name": mounted}}]}}}});
    world.api.put("/apis/apps/v1/namespaces/tools/replicasets/team-registry-1", set);
    world.set_spec("drainTimeout", "30s".into());
    world.settle().await;
    assert_eq!(boots(&world).len(), 2);
    world.api.remove("replicasets/team-registry-1");
    world.set_spec("drainTimeout", "40s".into());
    world.settle().await;
    assert_eq!(boots(&world).len(), 1);
    assert_ne!(boots(&world), first);
}

// operator 32: an object that finds what an earlier one kept says so
#[tokio::test]
async fn a_kept_claim_is_taken_up_and_said() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    assert!(!world.api.events().iter().any(|event| event.starts_with("Adopted")));
    let kept = |world: &World| {
        [("team.admin", "password"), ("team-pull", ".dockerconfigjson"), ("team-ca", "tls.crt")]
            .map(|(name, key)| world.secret(name, key))
    };
    let before = kept(&world);
    world.recreate();
    world.settle().await;
    assert_eq!(kept(&world), before);
    assert!(world.api.events().iter().any(|event| event.starts_with("Adopted")), "{:?}", world.api.events());
}

// crd.md section 6: a paused registry says how it is
#[tokio::test]
async fn a_paused_registry_whose_pods_come_back_is_ready() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let deployment = "deployments/team-registry";
    world.annotate("privateregistry.dev/paused", "true");
    world.api.change(deployment, |deployment| deployment["status"]["readyReplicas"] = 0.into());
    world.pass().await.unwrap();
    assert_eq!(world.condition("Ready"), "False/NoReadyPods");
    world.api.change(deployment, |deployment| deployment["status"]["readyReplicas"] = 1.into());
    world.pass().await.unwrap();
    assert_eq!(world.condition("Ready"), "True/AllReady");
    assert!(
        world.message("Ready").ends_with("https://team-registry.tools.svc"),
        "{}",
        world.message("Ready")
    );
    // One that is suspended stays so, and has not resumed.
    world.annotate("privateregistry.dev/paused", "false");
    world.set_spec("suspend", true.into());
    world.settle().await;
    world.annotate("privateregistry.dev/paused", "true");
    world.settle().await;
    assert_eq!(world.condition("Ready"), "False/Suspended");
    assert!(!world.api.events().iter().any(|event| event.starts_with("Resumed")));
    // One that is paused from the beginning has all its conditions.
    let mut fresh = World::new(SIX_LINES);
    fresh.annotate("privateregistry.dev/paused", "true");
    fresh.settle().await;
    assert_eq!(fresh.api.objects()[OBJECT]["status"]["conditions"].as_array().unwrap().len(), 10);
}

// operator 71: zero pods are what was asked for
#[tokio::test]
async fn a_suspended_registry_is_told_of_when_it_resumes_and_not_before() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    world.set_spec("suspend", true.into());
    world.settle().await;
    let told = |world: &World, reason: &str| {
        world.api.events().iter().filter(|event| event.starts_with(reason)).count()
    };
    assert_eq!((world.condition("Ready").as_str(), told(&world, "NoReadyPods")), ("False/Suspended", 0));
    world.set_spec("suspend", false.into());
    world.settle().await;
    assert_eq!((world.condition("Ready").as_str(), told(&world, "Resumed")), ("True/AllReady", 1));
}

// A pod that restarts is no roll-out.
#[tokio::test]
async fn a_pod_that_restarts_rolls_nothing_out() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let told =
        |world: &World| world.api.events().iter().filter(|event| event.starts_with("RolledOut")).count();
    let before = told(&world);
    let done = json!([{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]);
    world.api.change("deployments/team-registry", |deployment| {
        deployment["status"]["conditions"] = done;
        deployment["status"]["readyReplicas"] = 0.into();
    });
    world.pass().await.unwrap();
    assert_eq!(world.condition("Progressing"), "False/RolledOut");
    assert_eq!(world.condition("Available"), "False/NoReadyPods");
    world.settle().await;
    assert_eq!(told(&world), before);
}

// operator 88: what others keep in a child of ours is theirs, and makes no work
#[tokio::test]
async fn what_a_cloud_sets_on_the_service_stays() {
    let world = World::new("{storage: {ephemeral: {}}, exposure: {service: {type: LoadBalancer}}}");
    world.settle().await;
    let path = "/api/v1/namespaces/tools/services/team-registry";
    world.api.change(path, |service| {
        service["metadata"]["annotations"]["cloud.example.com/id"] = "7".into();
        service["metadata"]["finalizers"] = json!(["cloud.example.com/cleanup"]);
        service["spec"]["ports"][0]["nodePort"] = 30_443.into();
        service["status"] = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}});
    });
    world.settle().await;
    let kept = world.api.objects()[path].clone();
    let writes = world.api.writes().len();
    world.pass().await.unwrap();
    assert_eq!(world.api.objects()[path], kept);
    assert_eq!(world.api.writes().len(), writes);
    assert_eq!(kept["spec"]["ports"][0]["nodePort"], 30_443);
    assert_eq!(world.condition("ExposureReady"), "True/Exposed");
}

// operator 27, operator 29: a claim that can grow is asked once, and the same size in other words is no change
#[tokio::test]
async fn a_claim_grows_once() {
    let mut world = World::new(SIX_LINES);
    let class = json!({"metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "example.com/disk", "allowVolumeExpansion": true});
    world.api.put("/apis/storage.k8s.io/v1/storageclasses/fast", class);
    world.settle().await;
    let path = "/api/v1/namespaces/tools/persistentvolumeclaims/team-data";
    world.api.change(path, |claim| claim["spec"]["storageClassName"] = "fast".into());
    world.settle().await;
    let asked =
        |world: &World| world.api.writes().iter().filter(|write| write.ends_with("/team-data")).count();
    let before = asked(&world);
    world.set_spec("storage", json!({"filesystem": {"size": "30Gi"}}));
    world.pass().await.unwrap();
    world.pass().await.unwrap();
    assert_eq!(world.condition("VolumeResizing"), "True/Resizing");
    assert_eq!(asked(&world), before + 1);
    world.settle().await;
    assert_eq!(world.condition("VolumeResizing"), "False/NotResizing");
    assert!(world.api.events().iter().any(|event| event.starts_with("VolumeResized")));
    world.set_spec("storage", json!({"filesystem": {"size": "30720Mi"}}));
    world.settle().await;
    assert_eq!(asked(&world), before + 1, "30720Mi are 30Gi");
}

// operator 1, operator 14, operator 31: a status first, then all children in one pass, the boot file before its pods;
// a claim that waits for its first pod is no error
#[tokio::test]
async fn one_pass_makes_everything_in_order() {
    let world = World::new(SIX_LINES);
    world.pass().await.unwrap();
    let writes = world.api.writes();
    assert!(writes[0].ends_with("privateregistries/team/status"), "{writes:?}");
    let position = |part: &str| {
        let found = writes.iter().position(|write| write.starts_with("POST") && write.contains(part));
        found.unwrap_or_else(|| panic!("no {part} in {writes:?}"))
    };
    let boot = writes.iter().position(|write| write.contains("configmaps/team-config-")).unwrap();
    let pods = writes.iter().position(|write| write.ends_with("deployments/team-registry")).unwrap();
    assert!(boot < pods, "{writes:?}");
    position("/networkpolicies");
    let made = world.api.objects();
    world.settle().await;
    let all: Vec<String> = world.api.objects().into_keys().collect();
    assert_eq!(made.into_keys().collect::<Vec<_>>(), all, "later passes made more");

    let world = World::new(SIX_LINES);
    let class = json!({"metadata": {"name": "slow", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "example.com/disk", "volumeBindingMode": "WaitForFirstConsumer"});
    world.api.put("/apis/storage.k8s.io/v1/storageclasses/slow", class);
    world.pass().await.unwrap();
    assert_eq!(world.condition("StorageReady"), "False/VolumePending");
    assert!(
        !world.api.events().iter().any(|event| event.contains("VolumePending")),
        "{:?}",
        world.api.events()
    );
}

// operator 75: an owner of an older version of the API becomes one of this
#[tokio::test]
async fn owners_of_an_older_version_are_written_anew() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    for name in ["deployments/team-registry", "services/team-registry", "configmaps/team-live"] {
        world.api.change(name, |child| {
            child["metadata"]["ownerReferences"][0]["apiVersion"] = "privateregistry.dev/v1alpha0".into();
        });
    }
    world.settle().await;
    for (path, object) in world.api.objects() {
        let owner = &object["metadata"]["ownerReferences"][0]["apiVersion"];
        assert!(owner.is_null() || *owner == "privateregistry.dev/v1alpha1", "{path}: {owner}");
    }
}
