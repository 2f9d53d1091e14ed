//! Passes over one object against an API server in memory: quiet, crash-safe, and never at the cost of a value that
//! was made once.

#![expect(clippy::unwrap_used, reason = "what cannot be read or built must fail the test")]

mod fake_api;
mod redis;
mod world;

use std::collections::BTreeMap;

use fake_api::Fault;
use operator::private_registry::error::PassError;
use serde_json::{Value, json};
use world::{OBJECT, SIX_LINES, World};

/// Values that are made once: they may differ between two worlds, never between two passes.
fn made_once(objects: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let secrets = objects.iter().filter(|(path, _)| path.contains("/secrets/"));
    secrets.map(|(path, secret)| (path.clone(), secret["data"].clone())).collect()
}

/// What a world looks like beside random values: names, and all but Secrets and what follows from their content.
fn shape(objects: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let volatile = ["resourceVersion", "uid", "generation"];
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
        world.settle().await;
        let first = made_once(&world.api.objects());
        world.settle().await;
        assert_eq!(made_once(&world.api.objects()), first, "write {nth}");
        assert_eq!(shape(&world.api.objects()), expected, "write {nth}");
    }
}

// operator 73
#[tokio::test]
async fn refused_writes_lead_to_the_same_children() {
    let calm = World::new(SIX_LINES);
    calm.settle().await;
    let expected = shape(&calm.api.objects());
    for nth in 0..calm.api.writes().len() {
        // Each answer in turn: what follows does not look at the code.
        let code = [409, 429, 503][nth % 3];
        let world = World::new(SIX_LINES);
        world.api.fail(nth, Fault::Refused(code));
        world.settle().await;
        assert_eq!(shape(&world.api.objects()), expected, "{code} on write {nth}");
    }
}

// operator 120, guarantee 3: another replica made the Secret first
#[tokio::test]
async fn the_winner_of_a_race_for_a_secret_is_believed() {
    let first = World::new(SIX_LINES);
    first.settle().await;
    let second = World::new(SIX_LINES);
    for name in ["team.admin", "team-ca", "team-pull", "team-redisauth"] {
        let path = format!("/api/v1/namespaces/tools/secrets/{name}");
        second.api.put(&path, first.api.objects()[&path].clone());
    }
    second.settle().await;
    for name in ["team.admin", "team-ca", "team-redisauth"] {
        let path = format!("/api/v1/namespaces/tools/secrets/{name}");
        assert_eq!(first.api.objects()[&path]["data"], second.api.objects()[&path]["data"], "{name}");
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

// operator 5: lines stay byte for byte, also when their Secret is written without a change of the password
#[tokio::test]
async fn a_password_line_stays_while_it_verifies() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let file = || world.secret("team-htpasswd", "htpasswd");
    let before = file();
    world.api.change("secrets/team.admin", |secret| secret["metadata"]["labels"]["mine"] = "yes".into());
    world.settle().await;
    assert_eq!(file(), before);
    world.set_secret("team.admin", "password", "another");
    world.settle().await;
    assert_ne!(file(), before);
    let kept = |text: &str| text.lines().find(|line| line.starts_with("preg-pull")).unwrap().to_owned();
    assert_eq!(kept(&file()), kept(&before));
}

// A file that somebody edited is made again from the passwords.
#[tokio::test]
async fn an_edited_password_file_is_put_back() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    world.set_secret(
        "team-htpasswd",
        "htpasswd",
        "admin:$2b$10$forged\nmallory:{SHA}0000000000000000000000000000\n",
    );
    world.settle().await;
    let file = world.secret("team-htpasswd", "htpasswd");
    assert!(!file.contains("mallory") && !file.contains("forged"), "{file}");
    assert_eq!(file.lines().count(), 2);
}

// operator 40: the CA's Secret was written, and nothing after it
#[tokio::test]
async fn a_lost_certificate_is_made_again_by_the_same_ca() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let ca = world.secret("team-ca", "tls.crt");
    for name in ["secrets/team-tls", "configmaps/team-trust"] {
        world.api.remove(name);
    }
    world.settle().await;
    assert_eq!(world.secret("team-ca", "tls.crt"), ca);
    assert_eq!(world.secret("team-tls", "ca.crt"), ca);
}

// A CA of which half is missing is never replaced behind its clients' backs.
#[tokio::test]
async fn half_a_ca_is_said_and_not_replaced() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let served = world.secret("team-tls", "tls.crt");
    world
        .api
        .change("secrets/team-ca", |secret| drop(secret["data"].as_object_mut().unwrap().remove("tls.key")));
    world.settle().await;
    assert_eq!(world.condition("CertificateReady"), "False/ChainInvalid");
    assert_eq!(world.secret("team-tls", "tls.crt"), served);
    assert_eq!(
        world.api.objects()["/api/v1/namespaces/tools/secrets/team-ca"]["data"]["tls.key"],
        Value::Null
    );
}

// operator 36, operator 39: a CA is rotated as it was asked for, published before it signs
#[tokio::test]
async fn a_ca_is_rotated_as_asked() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let first = world.secret("team-ca", "tls.crt");
    world.annotate("privateregistry.dev/rotate-ca", "now");
    world.settle().await;
    let trust = |world: &World| {
        world.api.objects()["/api/v1/namespaces/tools/configmaps/team-trust"]["data"]["ca.crt"].to_string()
    };
    assert_eq!(trust(&world).matches("BEGIN").count(), 2);
    assert_eq!(world.secret("team-tls", "ca.crt"), first);
    world.now += 25 * 3600;
    world.settle().await;
    let second = world.secret("team-ca", "tls.crt");
    assert_ne!(second, first);
    assert_eq!(world.secret("team-tls", "ca.crt"), second);
    assert_eq!(trust(&world).matches("BEGIN").count(), 2);
    assert!(
        world.api.events().iter().any(|event| event.starts_with("CARotated")),
        "{:?}",
        world.api.events()
    );
}

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
    world.pass().await.unwrap();
    let writes = world.api.writes();
    let deployments =
        writes[before..].iter().filter(|write| write.ends_with("deployments/team-registry")).count();
    assert_eq!(deployments, 1, "{writes:?}");
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

// operator 121: secret values are in Secrets and nowhere else
#[tokio::test]
async fn no_secret_leaves_its_secret() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let mut values = vec![world.secret("team.admin", "password"), world.secret("team-redisauth", "password")];
    values.push(world.secret("team-tls", "tls.key").lines().nth(1).unwrap().to_owned());
    values.push(world.secret("team-ca", "tls.key").lines().nth(1).unwrap().to_owned());
    let objects = world.api.objects();
    let open = objects.iter().filter(|(path, _)| !path.contains("/secrets/"));
    for (path, object) in open {
        for value in &values {
            assert!(!object.to_string().contains(value), "{path}");
        }
    }
    for event in world.api.events() {
        assert!(values.iter().all(|value| !event.contains(value)), "{event}");
    }
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
    let error = world.pass().await.unwrap_err();
    assert_eq!(error.reason(), "CRDOutdated");
    world.fail(&error).await;
    assert_eq!(world.condition("Ready"), "False/CRDOutdated");
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

// A kept Secret that lost its password waits for the user; a copy under another name is the user's.
#[tokio::test]
async fn secrets_of_accounts_and_copies_are_never_pruned() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let pull = world.api.objects()["/api/v1/namespaces/tools/secrets/team-pull"].clone();
    world.api.put("/api/v1/namespaces/tools/secrets/my-copy", pull);
    world.api.change("secrets/team.admin", |secret| {
        drop(secret["data"].as_object_mut().unwrap().remove("password"))
    });
    world.set_spec("readOnly", true.into());
    world.settle().await;
    assert_eq!(world.condition("CredentialsReady"), "False/SecretNotFound");
    let objects = world.api.objects();
    assert!(objects.contains_key("/api/v1/namespaces/tools/secrets/team.admin"));
    assert!(objects.contains_key("/api/v1/namespaces/tools/secrets/my-copy"));
}

// operator 94: another key of the same Secret is another password
#[tokio::test]
async fn another_key_of_the_same_secret_is_taken_over() {
    let users = |key: &str| json!({"htpasswd": {"users": [{"name": "dev", "passwordSecretRef": {"name": "pw", "key": key}}]}});
    let mut world = World::new("storage: {ephemeral: {}}");
    world.api.put(
        "/api/v1/namespaces/tools/secrets/pw",
        json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "pw", "namespace": "tools"}, "data": {"old": "b2xk", "new": "bmV3"}}),
    );
    world.set_spec("auth", users("old"));
    world.settle().await;
    let before = world.secret("team-htpasswd", "htpasswd");
    world.set_spec("auth", users("new"));
    world.settle().await;
    assert_ne!(world.secret("team-htpasswd", "htpasswd"), before);
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
    let password = world.secret("team.admin", "password");
    world.recreate();
    world.settle().await;
    assert_eq!(world.secret("team.admin", "password"), password);
    assert!(world.api.events().iter().any(|event| event.starts_with("Adopted")), "{:?}", world.api.events());
}

// operator 46: both passwords work during the overlap, and pull Secrets follow at once
#[tokio::test]
async fn passwords_are_rotated_with_an_overlap() {
    let mut world = World::new(
        "{storage: {ephemeral: {}}, auth: {htpasswd: {users: [{name: ci, rotateEvery: 720h, overlap: 24h}, {name: ann}]}}}",
    );
    world.settle().await;
    let lines = |world: &World, user: &str| {
        let file = world.secret("team-htpasswd", "htpasswd");
        file.lines()
            .filter(|line| line.starts_with(&format!("{user}:")))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (first, ann) = (world.secret("team.ci", "password"), lines(&world, "ann"));
    world.now += 720 * 3600 + 1;
    world.settle().await;
    assert_ne!(world.secret("team.ci", "password"), first);
    assert_eq!(world.secret("team.ci", "previous"), first);
    assert_eq!((lines(&world, "ci").len(), lines(&world, "ann")), (2, ann));
    world.now += 24 * 3600 + 1;
    world.settle().await;
    assert_eq!(lines(&world, "ci").len(), 1);

    let pull = world.secret("team-pull", ".dockerconfigjson");
    world.annotate("privateregistry.dev/rotate-credentials", "now");
    world.settle().await;
    assert_ne!(world.secret("team-pull", ".dockerconfigjson"), pull);
    assert_eq!((lines(&world, "ann").len(), lines(&world, "preg-pull").len()), (2, 2));
    assert!(
        world.api.events().iter().any(|event| event.starts_with("CredentialsRotated")),
        "{:?}",
        world.api.events()
    );
}
