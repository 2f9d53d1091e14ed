//! Settings: which child a change of each field changes.

use serde_json::{Value, json};

use crate::sample::{SIX_LINES, changed, child, every_child, key, model};

fn with(more: &str) -> String {
    format!("{{{more}, {SIX_LINES}}}")
}

// operator 91, guarantee 4: live settings change the live file only
#[test]
fn live_settings_change_the_live_file_only() {
    for more in [
        "readOnly: true",
        "imageDeletion: Disabled",
        "logging: {level: Debug}",
        "logging: {access: Disabled}",
        "auth: {access: [{subjects: ['user:admin'], repositories: ['**'], actions: [Pull]}]}",
        "immutableTags: [{repositories: [team/**], tags: [v*]}]",
        "quota: {repositories: [{repositories: [team/**], size: 1Gi}]}",
        "warnings: [{text: moves on Friday}]",
        "limits: {maxBlobSize: 20Gi}",
        "limits: {maxManifestSize: 8Mi}",
        "limits: {uploadExpiry: 24h}",
    ] {
        assert_eq!(
            changed(&model("team", SIX_LINES), &model("team", &with(more))),
            ["ConfigMap/team-live"],
            "{more}"
        );
    }
}

#[test]
fn limits_reach_the_server_in_its_units() {
    let model = model("team", &with("limits: {maxBlobSize: 1Gi, maxManifestSize: 8Mi, uploadExpiry: 24h}"));
    let live = child(&model, "ConfigMap/team-live").unwrap();
    let live: Value = serde_saphyr::from_str(live["data"]["live.yml"].as_str().unwrap()).unwrap();
    assert_eq!(live["limits"]["maxblobsize"], 1 << 30);
    assert_eq!(live["limits"]["maxmanifestsize"], 8 << 20);
    assert_eq!(live["storage"]["maintenance"]["uploadpurging"]["age"], "86400s");
}

#[test]
fn rules_of_access_reach_the_server() {
    let auth = "auth: {htpasswd: {users: [{name: admin}, {name: ann, groups: [dev, ops]}, {name: bob, groups: [dev]}]},
        access: [{subjects: ['group:dev', 'user:admin', authenticated], repositories: [team/**], actions: [Pull, Push, Delete]},
                 {subjects: [anonymous], repositories: ['**'], actions: [List], effect: Deny}]}";
    let live = child(&model("team", &with(auth)), "ConfigMap/team-live").unwrap();
    let text = live["data"]["live.yml"].as_str().unwrap();
    let read: Value = serde_saphyr::from_str(text).unwrap();
    assert_eq!(read["groups"], json!({"dev": ["ann", "bob"], "ops": ["ann"]}));
    assert_eq!(
        read["access"],
        json!([
            {"subjects": ["group:dev", "user:admin", "authenticated"], "repositories": ["team/**"],
             "actions": ["pull", "push", "delete"]},
            {"subjects": ["anonymous"], "repositories": ["**"], "actions": ["list"], "effect": "deny"},
        ])
    );
    registry_config::schema::Config::from_yaml("live.yml", text, []).unwrap();
}

#[test]
fn immutable_tags_reach_the_server() {
    let model = model("team", &with("immutableTags: [{repositories: [team/**, '**'], tags: [v*, stable]}]"));
    let live = child(&model, "ConfigMap/team-live").unwrap();
    let text = live["data"]["live.yml"].as_str().unwrap();
    let read: Value = serde_saphyr::from_str(text).unwrap();
    assert_eq!(read["immutabletags"], json!([{"repositories": ["team/**", "**"], "tags": ["v*", "stable"]}]));
    registry_config::schema::Config::from_yaml("live.yml", text, []).unwrap();
}

#[test]
fn quotas_reach_the_server_in_bytes() {
    let quotas = "quota: {repositories: [{repositories: [team/**, ci/*], size: 1Gi}, {repositories: ['**'], size: 100Ei},
        {repositories: [old], size: 1000}]}";
    let live = child(&model("team", &with(quotas)), "ConfigMap/team-live").unwrap();
    let text = live["data"]["live.yml"].as_str().unwrap();
    let read = registry_config::schema::Config::from_yaml("live.yml", text, []).unwrap().quotas;
    let sizes: Vec<u64> = read.iter().map(|quota| quota.maxsize).collect();
    assert_eq!(sizes, [1 << 30, u64::MAX, 1000]);
    let patterns: Vec<String> = read[0].repositories.iter().cloned().map(String::from).collect();
    assert_eq!(patterns, ["team/**", "ci/*"]);
}

#[test]
fn warnings_reach_the_server() {
    let warnings =
        r#"warnings: [{text: 'say "a\b"'}, {text: moves on Friday, repositories: [team/**, ci/*]}]"#;
    let live = child(&model("team", &with(warnings)), "ConfigMap/team-live").unwrap();
    let text = live["data"]["live.yml"].as_str().unwrap();
    let read: Value = serde_saphyr::from_str(text).unwrap();
    assert_eq!(
        read["warnings"],
        json!([{"text": r#"say "a\b""#}, {"text": "moves on Friday", "repositories": ["team/**", "ci/*"]}])
    );
    registry_config::schema::Config::from_yaml("live.yml", text, []).unwrap();
}

// operator 14: another boot file is another ConfigMap, and its name is in the pod template
#[test]
fn boot_settings_change_the_boot_file_and_the_pods() {
    for more in ["logging: {format: Text}", "drainTimeout: 30s", "cache: {none: {}}"] {
        let (before, after) = (model("team", SIX_LINES), model("team", &with(more)));
        let changed = changed(&before, &after);
        let boots = changed.iter().filter(|key| key.starts_with("ConfigMap/team-config-")).count();
        assert_eq!(boots, 2, "{more}: {changed:?}");
        assert!(changed.contains(&"Deployment/team-registry".to_owned()), "{more}");
        let all = every_child(&after);
        let boot = all.iter().find(|child| key(child).starts_with("ConfigMap/team-config-")).unwrap();
        assert_eq!(boot["immutable"], true);
        let template = &child(&after, "Deployment/team-registry").unwrap()["spec"]["template"];
        assert_eq!(
            template["metadata"]["annotations"]["privateregistry.dev/config-hash"],
            boot["metadata"]["name"]
        );
    }
}

// operator 41
#[test]
fn host_names_change_secrets_and_no_pod() {
    let changed =
        changed(&model("team", SIX_LINES), &model("team", &with("exposure: {hostnames: [r.example.com]}")));
    assert_eq!(changed, ["Secret/team-pull"]);
}

// operator 41
#[test]
fn the_pull_secret_lists_every_host_as_clients_write_it() {
    use operator::private_registry::desired::secrets::{docker_config, docker_config_password};
    let hosts = |more: &str| {
        let authorities = model("team", &with(more)).authorities(&["10.96.0.7".into()], None, Some(30443));
        let config = docker_config(&authorities, "secret");
        assert_eq!(docker_config_password(&config).as_deref(), Some("secret"));
        serde_json::from_str::<Value>(&config).unwrap()["auths"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let named = hosts("exposure: {hostnames: [r.example.com]}");
    for host in
        ["r.example.com", "r.example.com:30443", "team-registry", "team-registry.tools.svc", "10.96.0.7"]
    {
        assert!(named.contains(&host.to_owned()), "{host} in {named:?}");
    }
    assert!(hosts("exposure: {service: {port: 8443}}").contains(&"team-registry.tools.svc:8443".to_owned()));
}

#[test]
fn the_service_is_as_the_user_says() {
    let service = |more: &str| child(&model("team", &with(more)), "Service/team-registry").unwrap();
    let plain = service("replicas: 1");
    assert_eq!(
        (&plain["spec"]["type"], &plain["spec"]["ports"][0]["port"]),
        (&json!("ClusterIP"), &json!(443))
    );
    let node =
        service("exposure: {service: {type: NodePort, nodePort: 30443, externalTrafficPolicy: Local}}");
    assert_eq!(node["spec"]["ports"][0]["nodePort"], 30443);
    assert_eq!(node["spec"]["externalTrafficPolicy"], "Local");
    let balanced =
        service("exposure: {service: {type: LoadBalancer, loadBalancerClass: c/d, annotations: {a: b}}}");
    assert_eq!(balanced["spec"]["loadBalancerClass"], "c/d");
    assert_eq!(balanced["metadata"]["annotations"]["a"], "b");
    let admin =
        child(&model("team", &with("exposure: {service: {type: NodePort}}")), "Service/team-admin").unwrap();
    assert_eq!(admin["spec"]["type"], "ClusterIP");
}

// operator 111, as far as there is no Ingress yet, which would carry TLS: there is no certificate, the port is 80 and the URL
// says so
#[test]
fn without_tls_there_is_no_certificate_and_the_port_is_80() {
    let plain = model("team", &with("tls: {disabled: {}}"));
    let names: Vec<String> = every_child(&plain).iter().map(key).collect();
    for gone in ["Secret/team-tls", "Secret/team-ca", "ConfigMap/team-trust"] {
        assert!(!names.contains(&gone.to_owned()), "{gone}");
    }
    assert_eq!(child(&plain, "Service/team-registry").unwrap()["spec"]["ports"][0]["port"], 80);
    assert_eq!(plain.url(), "http://team-registry.tools.svc");
    assert!(!child(&plain, "Deployment/team-registry").unwrap().to_string().contains("/etc/registry/tls"));
}

#[test]
fn the_firewall_is_as_the_user_says() {
    let policies = |more: &str| {
        every_child(&model("team", &with(more)))
            .into_iter()
            .filter(|child| child["kind"] == "NetworkPolicy")
            .collect::<Vec<_>>()
    };
    assert_eq!(policies("replicas: 1").len(), 2);
    assert_eq!(policies("networkPolicy: {mode: Disabled}"), Vec::<Value>::new());
    let more = "networkPolicy: {metricsFrom: [{namespaceSelector: {matchLabels: {team: metrics}}}],
        egress: [{ports: [{port: 4317}]}]}";
    let registry = &policies(more)[0]["spec"];
    assert_eq!(registry["ingress"][1]["from"][2]["namespaceSelector"]["matchLabels"]["team"], "metrics");
    assert_eq!(registry["policyTypes"], json!(["Ingress", "Egress"]));
    let egress = registry["egress"].as_array().unwrap();
    assert_eq!(egress[0]["ports"][0]["port"], 53);
    assert_eq!(egress[1]["ports"][0]["port"], 6379);
    assert_eq!(egress[2]["ports"][0]["port"], 4317);
    assert_eq!(egress.len(), 3);
    let to_redis = |external: &str| {
        let more = format!("cache: {{redis: {{external: {external}}}}}, networkPolicy: {{egress: []}}");
        policies(&more)[0]["spec"]["egress"][1]["ports"].clone()
    };
    let tcp = |port: u16| json!({"protocol": "TCP", "port": port});
    assert_eq!(
        to_redis("{mode: Cluster, addresses: ['a:7001', 'b:7000', 'c:7001']}"),
        json!([tcp(7000), tcp(7001)])
    );
    assert_eq!(
        to_redis("{mode: Sentinel, sentinelMaster: main, addresses: ['a:26379', 'b:26379']}"),
        json!([tcp(6379), tcp(26379)])
    );
}

#[test]
fn port_80_leads_to_https_where_that_was_asked_for() {
    let redirecting = model("team", &with("exposure: {service: {port: 8443, httpRedirect: Enabled}}"));
    let service = child(&redirecting, "Service/team-registry").unwrap();
    assert_eq!(
        service["spec"]["ports"][1],
        json!({"name": "http", "port": 80, "targetPort": "redirect", "protocol": "TCP"})
    );
    let all = every_child(&redirecting);
    let boot = all.iter().find(|child| key(child).starts_with("ConfigMap/team-config-")).unwrap();
    let boot: Value = serde_saphyr::from_str(boot["data"]["config.yml"].as_str().unwrap()).unwrap();
    assert_eq!(boot["http"]["redirect"], json!({"addr": ":5080", "port": 8443}));
    let policy = child(&redirecting, "NetworkPolicy/team-registry").unwrap();
    assert_eq!(policy["spec"]["ingress"][0]["ports"][1]["port"], "redirect");
    assert!(
        !child(&model("team", SIX_LINES), "Deployment/team-registry")
            .unwrap()
            .to_string()
            .contains("redirect")
    );
}
