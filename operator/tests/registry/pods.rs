//! Pods: restricted, placed as the user says, replaced only when they must be.

use operator::private_registry::desired::trial::trial;
use serde_json::{Value, json};

use crate::sample::{SIX_LINES, changed, child, every_child, model};

fn pod(spec: &str) -> Value {
    child(&model("team", spec), "Deployment/team-registry").unwrap()["spec"]["template"].clone()
}

// operator 76, operator 122: the "restricted" standard, no token, no service links, a read-only root
#[test]
fn every_pod_is_restricted() {
    let all = every_child(&model("team", SIX_LINES));
    let deployments: Vec<&Value> = all.iter().filter(|child| child["kind"] == "Deployment").collect();
    assert_eq!(deployments.len(), 2);
    let trial = trial(&model("team", SIX_LINES), deployments[0]);
    let templates = deployments.iter().map(|deployment| &deployment["spec"]["template"]);
    for template in templates.chain([&trial]) {
        let pod = &template["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false, "{template}");
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
}

// operator 89: what the server opens when it checks its boot file is in the pod that tries it
#[test]
fn a_trial_has_the_keys_that_its_boot_file_names() {
    let server = "realm: 'https://auth.example.com/token', service: r, issuer: auth";
    for token in [
        "builtIn: {}".to_owned(),
        format!("external: {{{server}, jwksRef: {{name: keys}}}}"),
        format!("external: {{{server}, rootCertBundleRef: {{name: keys}}}}"),
    ] {
        let spec = format!("{{storage: {{filesystem: {{size: 1Gi}}}}, auth: {{token: {{{token}}}}}}}");
        let model = model("team", &spec);
        let boot =
            every_child(&model).into_iter().find(|child| child["data"]["config.yml"].is_string()).unwrap();
        let text = boot["data"]["config.yml"].as_str().unwrap();
        let file = registry_config::schema::Config::from_yaml("config.yml", text, []).unwrap();
        let own = file.builtin.into_iter().flat_map(|own| [Some(own.key), own.previous]);
        let others = file.token.into_iter().flat_map(|server| [server.jwks, server.rootcertbundle]);
        let paths: Vec<_> = own.chain(others).flatten().collect();
        assert!(!paths.is_empty(), "{text}");
        let trial = trial(&model, &child(&model, "Deployment/team-registry").unwrap());
        let mounts = trial["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
        for path in paths {
            let folder = path.parent().unwrap().to_str().unwrap();
            let mount = mounts.iter().find(|mount| mount["mountPath"] == folder).unwrap();
            let volumes = trial["spec"]["volumes"].as_array().unwrap();
            assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]), "{trial}");
        }
    }
}

// operator 21
#[test]
fn a_volume_of_one_node_is_never_rolled_with_a_surge() {
    let strategy = |spec: &str| {
        child(&model("team", spec), "Deployment/team-registry").unwrap()["spec"]["strategy"].clone()
    };
    assert_eq!(strategy(SIX_LINES)["type"], "Recreate");
    let shared = "{replicas: 2, storage: {filesystem: {size: 1Gi, accessMode: ReadWriteMany}}}";
    assert_eq!(strategy(shared)["rollingUpdate"]["maxUnavailable"], 0);
}

// A pod that others stand in for takes leave, so that nobody is sent to it when it is gone.
#[test]
fn a_pod_that_is_replaced_while_others_serve_takes_leave() {
    let spec = |spec: &str| pod(spec)["spec"].clone();
    let shared = spec("{storage: {filesystem: {size: 1Gi, accessMode: ReadWriteMany}}}");
    let alone = spec(SIX_LINES);
    assert_eq!(shared["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"], 5);
    assert!(alone["containers"][0]["lifecycle"].is_null());
    let grace = |pod: &Value| pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert_eq!(grace(&shared), grace(&alone) + 5);
}

#[test]
fn several_pods_have_a_budget_and_one_has_none() {
    let shared = "{replicas: 2, storage: {filesystem: {size: 1Gi, accessMode: ReadWriteMany}}}";
    let budget = child(&model("team", shared), "PodDisruptionBudget/team-registry").unwrap();
    assert_eq!(budget["spec"]["maxUnavailable"], 1);
    assert_eq!(child(&model("team", SIX_LINES), "PodDisruptionBudget/team-registry"), None);
}

// operator 71
#[test]
fn a_suspended_registry_has_no_pods_and_keeps_the_rest() {
    let suspended = model("team", &format!("{{suspend: true, {SIX_LINES}}}"));
    assert_eq!(
        changed(&model("team", SIX_LINES), &suspended),
        ["Deployment/team-redis", "Deployment/team-registry"]
    );
    for name in ["Deployment/team-redis", "Deployment/team-registry"] {
        assert_eq!(child(&suspended, name).unwrap()["spec"]["replicas"], 0);
    }
}

#[test]
fn an_image_of_the_users_own_is_pulled_as_they_say() {
    let spec = "{image: {reference: 'own:1', pullPolicy: Always, pullSecrets: [{name: mirror}]}, storage: {ephemeral: {}}}";
    let pod = pod(spec);
    assert_eq!(pod["spec"]["containers"][0]["image"], "own:1");
    assert_eq!(pod["spec"]["containers"][0]["imagePullPolicy"], "Always");
    assert_eq!(pod["spec"]["imagePullSecrets"], json!([{"name": "mirror"}]));
}

#[test]
fn pods_run_where_and_how_the_user_says() {
    let pod = pod("
storage: {ephemeral: {sizeLimit: 1Gi}}
drainTimeout: 90s
pod:
  resources: {limits: {memory: 1Gi}}
  nodeSelector: {disktype: ssd}
  tolerations: [{key: dedicated, operator: Exists}]
  affinity: {nodeAffinity: {}}
  topologySpreadConstraints: []
  priorityClassName: platform
  labels: {cost-center: '42', app.kubernetes.io/instance: stolen}
  annotations: {example.com/scrape: 'no'}
  serviceAccountName: registry
  template: {spec: {hostAliases: [{ip: 10.0.0.1, hostnames: [a]}], containers: [{name: sidecar, image: s}]}}
");
    let spec = &pod["spec"];
    assert_eq!(spec["terminationGracePeriodSeconds"], 100);
    assert_eq!(spec["containers"][0]["resources"], json!({"limits": {"memory": "1Gi"}}));
    assert_eq!(spec["containers"][1]["name"], "sidecar");
    assert_eq!(spec["nodeSelector"], json!({"disktype": "ssd"}));
    assert_eq!(spec["tolerations"][0]["key"], "dedicated");
    assert_eq!(spec["affinity"], json!({"nodeAffinity": {}}));
    assert_eq!(spec["topologySpreadConstraints"], json!([]));
    assert_eq!(spec["priorityClassName"], "platform");
    assert_eq!(spec["serviceAccountName"], "registry");
    assert_eq!(spec["hostAliases"][0]["ip"], "10.0.0.1");
    assert_eq!(pod["metadata"]["labels"]["cost-center"], "42");
    assert_eq!(pod["metadata"]["labels"]["app.kubernetes.io/instance"], "team");
    assert_eq!(pod["metadata"]["annotations"]["example.com/scrape"], "no");
    let data = spec["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == "data").unwrap();
    assert_eq!(data["emptyDir"]["sizeLimit"], "1Gi");
}

#[test]
fn a_service_account_of_the_users_replaces_ours() {
    let own = model("team", "{pod: {serviceAccountName: mine}, storage: {ephemeral: {}}}");
    assert_eq!(child(&own, "ServiceAccount/team-registry"), None);
    let annotated = model("team", "{pod: {serviceAccountAnnotations: {a: b}}, storage: {ephemeral: {}}}");
    let account = child(&annotated, "ServiceAccount/team-registry").unwrap();
    assert_eq!(account["metadata"]["annotations"]["a"], "b");
    assert_eq!(account["automountServiceAccountToken"], false);
}
