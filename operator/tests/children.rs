//! Children of a registry, built without a cluster.

#![expect(clippy::unwrap_used, reason = "what cannot be read or built must fail the test")]

use k8s_openapi::apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::OwnerReference};
use operator::{
    crd::{
        image::{Image, PullPolicy},
        logging::{AccessLines, LogFormat, LogLevel, Logging},
        registry::{DeletionPolicy, ImageDeletion, PrivateRegistrySpec},
        storage::{AccessMode, Filesystem, Storage},
    },
    private_registry::{
        desired::{
            child::selector, config_maps, deployment::deployment, network_policy::network_policy, secrets,
            services, volume_claim::volume_claim,
        },
        model::Model,
        names::Names,
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn model(name: &str) -> Model {
    let size = Quantity("1Gi".into());
    let filesystem = Filesystem { size, storage_class_name: None, access_mode: AccessMode::ReadWriteOnce };
    Model {
        names: Names { namespace: "tools".into(), name: name.into() },
        spec: PrivateRegistrySpec {
            replicas: 1,
            suspend: false,
            read_only: false,
            deletion_policy: DeletionPolicy::Retain,
            image_deletion: ImageDeletion::Enabled,
            storage: Storage { filesystem: Some(filesystem), ephemeral: None },
            image: None,
            logging: None,
            exposure: None,
        },
        owner: OwnerReference { name: name.into(), uid: "u".into(), ..OwnerReference::default() },
        image: "registry:1".into(),
        operator_namespace: "operators".into(),
    }
}

fn every_child(model: &Model) -> Vec<Value> {
    let boot = config_maps::boot(model).unwrap();
    let name = boot["metadata"]["name"].as_str().unwrap().to_owned();
    vec![
        boot,
        config_maps::live(model).unwrap(),
        config_maps::trust(model, "pem"),
        services::public(model),
        services::admin(model),
        network_policy(model),
        volume_claim(model, None).unwrap(),
        deployment(model, &name),
    ]
}

// operator 76, operator 122: the "restricted" standard, no token, no service links, a read-only root
#[test]
fn pods_are_restricted() {
    let deployment = deployment(&model("team"), "team-config-0");
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["enableServiceLinks"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    for container in pod["containers"].as_array().unwrap() {
        let context = &container["securityContext"];
        assert_eq!(context["allowPrivilegeEscalation"], false);
        assert_eq!(context["readOnlyRootFilesystem"], true);
        assert_eq!(context["capabilities"]["drop"], json!(["ALL"]));
    }
}

// operator 21
#[test]
fn a_volume_of_one_node_is_never_rolled_with_a_surge() {
    let mut model = model("team");
    assert_eq!(deployment(&model, "c")["spec"]["strategy"]["type"], "Recreate");
    model.spec.replicas = 2;
    assert_eq!(deployment(&model, "c")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0);
}

// operator 71
#[test]
fn a_suspended_registry_has_no_pods_and_keeps_the_rest() {
    let mut model = model("team");
    let before = every_child(&model);
    model.spec.suspend = true;
    let after = every_child(&model);
    let differing: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
    assert_eq!(differing.len(), 1);
    assert_eq!(differing[0].1["spec"]["replicas"], 0);
}

// operator 91
#[test]
fn live_settings_change_the_live_file_only() {
    let mut model = model("team");
    let before = every_child(&model);
    model.spec.read_only = true;
    model.spec.image_deletion = ImageDeletion::Disabled;
    model.spec.logging =
        Some(Logging { level: LogLevel::Debug, access: AccessLines::Disabled, ..Logging::default() });
    let after = every_child(&model);
    let changed: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].1["metadata"]["name"], "team-live");
}

// operator 14: another boot file is another ConfigMap, and its name is in the pod template
#[test]
fn another_log_format_is_another_boot_file() {
    let mut model = model("team");
    let before = config_maps::boot(&model).unwrap();
    model.spec.logging = Some(Logging { format: LogFormat::Text, ..Logging::default() });
    let after = config_maps::boot(&model).unwrap();
    assert_ne!(before["metadata"]["name"], after["metadata"]["name"]);
    assert_eq!(after["immutable"], true);
}

#[test]
fn an_image_of_the_users_own_is_pulled_as_they_say() {
    let mut model = model("team");
    let pull_secrets = vec![k8s_openapi::api::core::v1::LocalObjectReference { name: "mirror".into() }];
    model.spec.image =
        Some(Image { reference: "own:1".into(), pull_policy: PullPolicy::Always, pull_secrets });
    let pod = &deployment(&model, "c")["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["imagePullPolicy"], "Always");
    assert_eq!(pod["imagePullSecrets"], json!([{"name": "mirror"}]));
}

// operator 32: what is kept has no owner, unless the user said Delete
#[test]
fn kept_children_have_an_owner_under_delete_only() {
    let mut model = model("team");
    let owner = |model: &Model| volume_claim(model, None).unwrap()["metadata"]["ownerReferences"].clone();
    assert_eq!(owner(&model), Value::Null);
    model.spec.deletion_policy = DeletionPolicy::Delete;
    assert_eq!(owner(&model)[0]["uid"], "u");
}

// operator 88: a claim enlarged by hand is never sent smaller
#[test]
fn a_claim_is_never_sent_smaller() {
    let model = model("team");
    for (requested, sent) in [(None, "1Gi"), (Some("512Mi"), "1Gi"), (Some("2Gi"), "2Gi")] {
        let claim = volume_claim(&model, requested).unwrap();
        assert_eq!(claim["spec"]["resources"]["requests"]["storage"], sent);
    }
}

// operator 19
#[test]
fn selectors_are_name_instance_and_component() {
    let keys = ["app.kubernetes.io/component", "app.kubernetes.io/instance", "app.kubernetes.io/name"];
    let selector = selector(&model("team"));
    let mut found: Vec<_> = selector.as_object().unwrap().keys().cloned().collect();
    found.sort();
    assert_eq!(found, keys);
}

#[test]
fn the_pull_secret_lists_every_host_and_gives_its_password_back() {
    let model = model("team");
    let config = secrets::docker_config(&model, "10.96.0.7", "secret");
    let parsed: Value = serde_json::from_str(&config).unwrap();
    for host in ["team-registry", "team-registry.tools.svc", "10.96.0.7"] {
        assert_eq!(parsed["auths"][host]["username"], "preg-pull", "{host}");
    }
    assert_eq!(secrets::docker_config_password(&config).as_deref(), Some("secret"));
}

proptest! {
    // operator 4: the same model gives the same bytes
    #[test]
    fn builders_are_deterministic(name in "[a-z]([-a-z0-9]{0,38}[a-z0-9])?") {
        prop_assert_eq!(every_child(&model(&name)), every_child(&model(&name)));
    }

    // operator 57: names of at most 40 characters give children whose names are labels
    #[test]
    fn child_names_fit(name in "[a-z]([-a-z0-9]{0,38}[a-z0-9])?") {
        for child in every_child(&model(&name)) {
            let child = child["metadata"]["name"].as_str().unwrap();
            prop_assert!(child.len() <= 63, "{child}");
        }
    }

    // operator 60: no child of one registry is called like a child of another
    #[test]
    fn two_registries_share_no_name(a in "[a-z]([-a-z0-9]{0,38}[a-z0-9])?", b in "[a-z]([-a-z0-9]{0,38}[a-z0-9])?") {
        prop_assume!(a != b);
        let key = |child: &Value| format!("{}/{}", child["kind"], child["metadata"]["name"]);
        let first: Vec<_> = every_child(&model(&a)).iter().map(key).collect();
        prop_assert!(every_child(&model(&b)).iter().map(key).all(|name| !first.contains(&name)));
    }
}
