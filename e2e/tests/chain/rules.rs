//! What the API server refuses at once, with the words that the user reads.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{manifest, settled, until},
    process::{must_fail, run, run_with_input},
    registry::Registry,
};

/// Specs that break a rule, with the rule's words. Where nothing is said of the storage, it is ephemeral.
const BROKEN: &[(&str, &str)] = &[
    ("storage: {}", "set exactly one of filesystem and ephemeral"),
    ("storage: {filesystem: {size: 1Gi}, ephemeral: {}}", "set exactly one of filesystem and ephemeral"),
    ("storage: {filesystem: {}}", "set exactly one of size and existingClaimName"),
    (
        "storage: {filesystem: {size: 1Gi, existingClaimName: old}}",
        "set exactly one of size and existingClaimName",
    ),
    ("storage: {filesystem: {size: '0'}}", "size must be a quantity above 0, such as 20Gi"),
    ("storage: {filesystem: {size: lots}}", "size must be a quantity above 0, such as 20Gi"),
    (
        "storage: {filesystem: {existingClaimName: old, storageClassName: fast}}",
        "storageClassName goes with size: an existing claim has its class",
    ),
    (
        "replicas: 2, storage: {filesystem: {size: 1Gi}}",
        "more than one replica needs an object store or accessMode ReadWriteMany",
    ),
    ("replicas: 2", "ephemeral storage allows one replica and no autoscaling"),
    ("cache: {}", "set exactly one of redis, memory and none"),
    ("cache: {memory: {}, none: {}}", "set exactly one of redis, memory and none"),
    ("cache: {memory: {maxSize: lots}}", "maxSize must be a quantity above 0, such as 64Mi"),
    ("cache: {redis: {external: {addresses: ['a:0']}}}", "each address ends in a port from 1 to 65535"),
    ("cache: {redis: {external: {addresses: ['a:65536']}}}", "each address ends in a port from 1 to 65535"),
    ("cache: {memory: {maxSize: 500m}}", "maxSize must be a quantity above 0, such as 64Mi"),
    ("limits: {maxBlobSize: 1m}", "maxBlobSize must be a quantity above 0, such as 20Gi"),
    ("cache: {memory: {maxSize: '0'}}", "maxSize must be a quantity above 0, such as 64Mi"),
    ("cache: {redis: {}}", "set exactly one of managed and external"),
    (
        "cache: {redis: {managed: {}, external: {addresses: ['redis:6379']}}}",
        "set exactly one of managed and external",
    ),
    ("cache: {redis: {external: {addresses: ['a:1', 'b:1']}}}", "mode Standalone takes one address"),
    (
        "cache: {redis: {external: {mode: Cluster, addresses: ['a:1']}}}",
        "mode Cluster takes the addresses of two nodes or more",
    ),
    (
        "cache: {redis: {external: {mode: Cluster, addresses: ['a:1', 'b:1'], database: 1}}}",
        "a Redis Cluster has database 0 only",
    ),
    (
        "cache: {redis: {external: {mode: Sentinel, addresses: ['a:1']}}}",
        "sentinelMaster goes with mode Sentinel",
    ),
    (
        "cache: {redis: {external: {addresses: ['a:1'], sentinelMaster: main}}}",
        "sentinelMaster goes with mode Sentinel",
    ),
    (
        "cache: {redis: {external: {addresses: ['a:1'], sentinelCredentialsSecretRef: {name: mine}}}}",
        "sentinelCredentialsSecretRef goes with mode Sentinel",
    ),
    (
        "cache: {redis: {managed: {maxMemory: lots}}}",
        "maxMemory must be a quantity of at least 8Mi, such as 256Mi",
    ),
    (
        "cache: {redis: {managed: {maxMemory: 7Mi}}}",
        "maxMemory must be a quantity of at least 8Mi, such as 256Mi",
    ),
    ("tls: {disabled: {}, selfSigned: {}}", "set at most one of selfSigned, secretRef and disabled"),
    ("tls: {selfSigned: {caLifetime: 3000h}}", "caLifetime must be at least twice certificateLifetime"),
    ("tls: {selfSigned: {certificateLifetime: 59m}}", "certificateLifetime must be at least 1h"),
    (
        "tls: {disabled: {}}, exposure: {service: {type: NodePort}}",
        "tls.disabled is allowed behind a ClusterIP Service only",
    ),
    ("tls: {disabled: {}}, exposure: {service: {httpRedirect: Enabled}}", "httpRedirect needs TLS"),
    (
        "exposure: {service: {httpRedirect: Enabled, port: 80}}",
        "httpRedirect takes port 80: choose another port",
    ),
    ("exposure: {service: {nodePort: 30443}}", "nodePort needs type NodePort or LoadBalancer"),
    ("exposure: {service: {loadBalancerClass: a/b}}", "loadBalancerClass needs type LoadBalancer"),
    (
        "exposure: {service: {externalTrafficPolicy: Local}}",
        "externalTrafficPolicy needs type NodePort or LoadBalancer",
    ),
    ("auth: {htpasswd: {}}", "set users, secretRef or both"),
    ("auth: {htpasswd: {users: [{name: preg-x}]}}", "names that start with preg- are the operator's own"),
    (
        "auth: {htpasswd: {users: [{name: ci, rotateEvery: 720h, passwordSecretRef: {name: mine}}]}}",
        "rotateEvery is for generated passwords: leave passwordSecretRef out, or rotate that Secret yourself",
    ),
    ("auth: {htpasswd: {users: [{name: ci, rotateEvery: 1h}]}}", "rotateEvery must be longer than overlap"),
    (
        "auth: {htpasswd: {users: [{name: ci, rotateEvery: 59m, overlap: 10m}]}}",
        "rotateEvery must be at least 1h: pods need time to follow",
    ),
    ("limits: {maxBlobSize: '0'}", "maxBlobSize must be a quantity above 0, such as 20Gi"),
    ("limits: {maxBlobSize: lots}", "maxBlobSize must be a quantity above 0, such as 20Gi"),
    ("limits: {maxBlobSize: 0}", "maxBlobSize must be a quantity above 0, such as 20Gi"),
    ("storage: {ephemeral: {sizeLimit: lots}}", "sizeLimit must be a quantity above 0, such as 10Gi"),
    ("storage: {ephemeral: {sizeLimit: '0'}}", "sizeLimit must be a quantity above 0, such as 10Gi"),
    ("pod: {resources: {limits: {cpu: lots}}}", "each of limits must be a quantity, such as 500m or 1Gi"),
    ("pod: {resources: {requests: {cpu: lots}}}", "each of requests must be a quantity, such as 500m or 1Gi"),
    ("limits: {maxManifestSize: '1023'}", "maxManifestSize must be a quantity of at least 1Ki, such as 4Mi"),
    (
        "limits: {uploadExpiry: 9m}",
        "uploadExpiry must be at least 10m: slow uploads would be removed while they run",
    ),
];

/// The rule that the metadata has to follow.
const NAME: &str = "name must be a DNS-1035 label of at most 40 characters";

/// Rules that compare an object with what it was: what it is at first, what it is to become, and their words.
const FIXED: &[(&str, &str, &str)] = &[
    ("{size: 2Gi}", "{size: 1Gi}", "size cannot shrink: a volume can only grow"),
    (
        "{size: 1Gi}",
        "{size: 1Gi, storageClassName: other}",
        "storageClassName cannot be added, dropped or changed after creation",
    ),
    (
        "{size: 1Gi, storageClassName: one}",
        "{size: 1Gi}",
        "storageClassName cannot be added, dropped or changed after creation",
    ),
    (
        "{size: 1Gi, storageClassName: one}",
        "{size: 1Gi, storageClassName: other}",
        "storageClassName cannot be added, dropped or changed after creation",
    ),
    (
        "{size: 1Gi}",
        "{existingClaimName: old}",
        "existingClaimName cannot be added, dropped or changed after creation",
    ),
    (
        "{existingClaimName: old}",
        "{size: 1Gi}",
        "existingClaimName cannot be added, dropped or changed after creation",
    ),
    (
        "{existingClaimName: old}",
        "{existingClaimName: other}",
        "existingClaimName cannot be added, dropped or changed after creation",
    ),
    ("{size: 1Gi}", "{size: 1Gi, accessMode: ReadWriteMany}", "accessMode cannot be changed after creation"),
];

/// Values that the schema refuses without a rule, and what the API server says of them.
const OUTSIDE: &[(&str, &str)] = &[
    ("limits: {uploadExpiry: 99999999999h}", "spec.limits.uploadExpiry in body should match"),
    ("strorage: {}", "unknown field \"spec.strorage\""),
    ("replicas: -1", "spec.replicas in body should be greater than or equal to 0"),
    (
        "replicas: 101, storage: {filesystem: {size: 1Gi, accessMode: ReadWriteMany}}",
        "spec.replicas in body should be less than or equal to 100",
    ),
    ("suspend: maybe", "spec.suspend in body must be of type boolean"),
    ("deletionPolicy: Forget", "spec.deletionPolicy: Unsupported value"),
    ("imageDeletion: Maybe", "spec.imageDeletion: Unsupported value"),
    ("drainTimeout: 5", "spec.drainTimeout in body must be of type string"),
    ("drainTimeout: 30d", "spec.drainTimeout in body should match"),
    ("drainTimeout: ''", "spec.drainTimeout in body should be at least 2 chars long"),
    ("drainTimeout: '100000000000000000000h'", "spec.drainTimeout: Too long"),
    ("image: {}", "spec.image.reference: Required value"),
    ("image: {reference: a, pullPolicy: Sometimes}", "spec.image.pullPolicy: Unsupported value"),
    ("logging: {level: Loud}", "spec.logging.level: Unsupported value"),
    ("logging: {format: XML}", "spec.logging.format: Unsupported value"),
    ("logging: {access: Some}", "spec.logging.access: Unsupported value"),
    (
        "storage: {filesystem: {size: 1Gi, accessMode: ReadOnlyMany}}",
        "spec.storage.filesystem.accessMode: Unsupported value",
    ),
    (
        "cache: {redis: {external: {addresses: []}}}",
        "spec.cache.redis.external.addresses in body should have at least 1 items",
    ),
    (
        "cache: {redis: {external: {mode: Ring, addresses: ['a:1']}}}",
        "spec.cache.redis.external.mode: Unsupported value",
    ),
    (
        "cache: {redis: {external: {mode: Sentinel, sentinelMaster: a b, addresses: ['a:1']}}}",
        "spec.cache.redis.external.sentinelMaster in body should match",
    ),
    (
        "cache: {redis: {external: {addresses: ['redis.example.com']}}}",
        "spec.cache.redis.external.addresses[0] in body should match",
    ),
    (
        "cache: {redis: {external: {addresses: ['a:1'], database: 16}}}",
        "spec.cache.redis.external.database in body should be less than or equal to 15",
    ),
    (
        "cache: {redis: {external: {addresses: ['a:1'], database: -1}}}",
        "spec.cache.redis.external.database in body should be greater than or equal to 0",
    ),
    (
        "cache: {redis: {external: {addresses: ['a:1'], tls: {}}}}",
        "spec.cache.redis.external.tls.caBundleRef: Required value",
    ),
    ("tls: {selfSigned: {caLifetime: 900d}}", "spec.tls.selfSigned.caLifetime in body should match"),
    ("tls: {secretRef: {}}", "spec.tls.secretRef.name: Required value"),
    ("auth: {htpasswd: {users: [{}]}}", "spec.auth.htpasswd.users[0].name: Required value"),
    ("auth: {htpasswd: {users: [{name: Anna}]}}", "spec.auth.htpasswd.users[0].name in body should match"),
    ("auth: {htpasswd: {users: [{name: ci}, {name: ci}]}}", "spec.auth.htpasswd.users[1]: Duplicate value"),
    (
        "auth: {htpasswd: {secretRef: {name: mine}, minimumHash: MD5}}",
        "spec.auth.htpasswd.minimumHash: Unsupported value",
    ),
    ("exposure: {hostnames: [UPPER.example.com]}", "spec.exposure.hostnames[0] in body should match"),
    ("exposure: {hostnames: [a.b, a.b]}", "spec.exposure.hostnames[1]: Duplicate value"),
    (
        "exposure: {service: {port: 0}}",
        "spec.exposure.service.port in body should be greater than or equal to 1",
    ),
    (
        "exposure: {service: {port: 65536}}",
        "spec.exposure.service.port in body should be less than or equal to 65535",
    ),
    (
        "exposure: {service: {type: NodePort, nodePort: 0}}",
        "spec.exposure.service.nodePort in body should be greater than or equal to 1",
    ),
    (
        "exposure: {service: {type: NodePort, nodePort: 65536}}",
        "spec.exposure.service.nodePort in body should be less than or equal to 65535",
    ),
    ("exposure: {service: {type: ExternalName}}", "spec.exposure.service.type: Unsupported value"),
    ("exposure: {service: {httpRedirect: Maybe}}", "spec.exposure.service.httpRedirect: Unsupported value"),
    (
        "exposure: {service: {type: NodePort, externalTrafficPolicy: Remote}}",
        "spec.exposure.service.externalTrafficPolicy: Unsupported value",
    ),
    ("networkPolicy: {mode: Some}", "spec.networkPolicy.mode: Unsupported value"),
];

/// Texts by their place, written `~`, and the most bytes that they may have. None may be empty.
const TEXTS: &[(&str, usize)] = &[
    ("image: {reference: ~}", 512),
    ("pod: {priorityClassName: ~}", 253),
    ("pod: {serviceAccountName: ~}", 253),
    ("tls: {secretRef: {name: ~}}", 253),
    ("storage: {filesystem: {existingClaimName: ~}}", 253),
    ("auth: {htpasswd: {users: [{name: ~}]}}", 63),
    ("auth: {htpasswd: {users: [{name: ci, passwordSecretRef: {name: ~}}]}}", 253),
    ("auth: {htpasswd: {users: [{name: ci, passwordSecretRef: {name: mine, key: ~}}]}}", 253),
    ("auth: {htpasswd: {secretRef: {name: ~}}}", 253),
    ("auth: {htpasswd: {secretRef: {name: mine, key: ~}}}", 253),
    ("exposure: {hostnames: [~]}", 253),
    ("exposure: {service: {type: LoadBalancer, loadBalancerClass: ~}}", 253),
    ("cache: {redis: {managed: {image: ~}}}", 512),
    ("cache: {redis: {external: {addresses: [~]}}}", 259),
    ("cache: {redis: {external: {addresses: ['a:1'], credentialsSecretRef: {name: ~}}}}", 253),
    ("cache: {redis: {external: {mode: Sentinel, addresses: ['a:1'], sentinelMaster: ~}}}", 128),
    (
        "cache: {redis: {external: {mode: Sentinel, addresses: ['a:1'], sentinelMaster: main, sentinelCredentialsSecretRef: {name: ~}}}}",
        253,
    ),
    ("cache: {redis: {external: {addresses: ['a:1'], tls: {caBundleRef: {name: ~}}}}}", 253),
    ("cache: {redis: {external: {addresses: ['a:1'], tls: {caBundleRef: {name: ca, key: ~}}}}}", 253),
    (
        "cache: {redis: {external: {addresses: ['a:1'], tls: {caBundleRef: {name: ca}, clientSecretRef: {name: ~}}}}}",
        253,
    ),
];

/// Lists by their entry, written `#` where entries must differ, and how many they may have.
const LISTS: &[(&str, &str, usize)] = &[
    ("auth: {htpasswd: {users: [~]}}", "{name: u#}", 256),
    ("exposure: {hostnames: [~]}", "h#.example.com", 16),
    ("cache: {redis: {external: {mode: Cluster, addresses: [~]}}}", "'h#:1'", 16),
    ("networkPolicy: {metricsFrom: [~]}", "{podSelector: {}}", 32),
    ("networkPolicy: {egress: [~]}", "{to: [{podSelector: {}}]}", 32),
];

/// The whole spec.
fn whole(spec: &str) -> String {
    let storage = if spec.contains("storage: ") { "" } else { "storage: {ephemeral: {}}, " };
    format!("{{{storage}{spec}}}")
}

/// What the API server refuses, and the words for it.
fn refused(namespace: &str, name: &str, spec: &str, words: &str) -> Result<()> {
    match apply(namespace, &manifest(name, &whole(spec))) {
        Ok(said) => anyhow::bail!("{name} {spec} was taken: {said}"),
        Err(error) => ensure!(format!("{error:#}").contains(words), "{name} {spec}: {error:#}"),
    }
    Ok(())
}

// operator 21, operator 57, operator 59, operator 83
#[test]
fn objects_that_cannot_work_are_refused_with_the_reason() -> Result<()> {
    let namespace = Namespace::create("e2e-rules")?;
    for (spec, words) in BROKEN {
        refused(namespace.name(), "team", spec, words)?;
    }
    let (forty, more) = ("a".repeat(40), "a".repeat(41));
    for name in [more.as_str(), "phi-3.5", "9lives"] {
        refused(namespace.name(), name, "suspend: true", NAME)?;
    }
    apply(namespace.name(), &manifest(&forty, &whole("suspend: true"))).map(drop)
}

// operator 21, operator 83
#[test]
fn values_outside_the_schema_are_refused() -> Result<()> {
    let namespace = Namespace::create("e2e-schema")?;
    for (spec, words) in OUTSIDE {
        refused(namespace.name(), "team", spec, words)?;
    }
    for (spec, most) in TEXTS {
        let with = |text: &str| spec.replace('~', &format!("'{text}'"));
        refused(namespace.name(), "team", &with(""), "chars long")?;
        refused(namespace.name(), "team", &with(&"a".repeat(most + 1)), "Too long")?;
    }
    let class = format!("storage: {{filesystem: {{size: 1Gi, storageClassName: {}}}}}", "a".repeat(254));
    refused(namespace.name(), "team", &class, "Too long")?;
    for (spec, entry, most) in LISTS {
        let entries: Vec<String> = (0..=*most).map(|i| entry.replace('#', &i.to_string())).collect();
        let words = format!("must have at most {most} items");
        refused(namespace.name(), "team", &spec.replace('~', &entries.join(", ")), &words)?;
    }
    Ok(())
}

/// Messages of all rules below a part of a schema.
fn messages(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    let rules = schema["x-kubernetes-validations"].as_array();
    found.extend(rules.into_iter().flatten().filter_map(|rule| rule["message"].as_str().map(str::to_owned)));
    let parts = schema["properties"].as_object().into_iter().flat_map(|all| all.values());
    parts
        .chain([&schema["items"], &schema["additionalProperties"]])
        .filter(|part| part.is_object())
        .for_each(|part| messages(part, found));
}

#[test]
fn every_rule_of_the_api_is_broken_by_a_test_of_this_file() -> Result<()> {
    let crd = get("default", &["crd", "privateregistries.privateregistry.dev"])?;
    let mut rules = BTreeSet::new();
    messages(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], &mut rules);
    rules.retain(|rule| !rule.starts_with(NAME));
    let broken = BROKEN.iter().map(|(_, words)| *words).chain(FIXED.iter().map(|(_, _, words)| *words));
    let broken: BTreeSet<String> = broken.map(str::to_owned).collect();
    ensure!(rules == broken, "{:?}", rules.symmetric_difference(&broken));
    Ok(())
}

// operator 29, operator 86
#[test]
fn what_is_fixed_stays_and_scale_obeys_the_rules() -> Result<()> {
    let namespace = Namespace::create("e2e-transitions")?;
    let on = |filesystem: &str| format!("suspend: true, storage: {{filesystem: {filesystem}}}");
    for (at, (before, after, words)) in FIXED.iter().enumerate() {
        let name = format!("team{at}");
        apply(namespace.name(), &manifest(&name, &whole(&on(before))))?;
        refused(namespace.name(), &name, &on(after), words)?;
    }
    apply(namespace.name(), &manifest("team", &whole(&on("{size: 2Gi}"))))?;
    apply(namespace.name(), &manifest("team", &whole(&on("{size: 2048Mi}"))))?;
    let said = must_fail(&mut kubectl(&["-n", namespace.name(), "scale", "preg", "team", "--replicas=2"]))?;
    ensure!(said.contains("accessMode ReadWriteMany"), "{said}");
    run(&mut kubectl(&["-n", namespace.name(), "scale", "preg", "team", "--replicas=0"])).map(drop)
}

// operator 85: one-of fields can be switched there and back, by both ways of applying
#[test]
fn one_of_fields_are_switched_by_both_ways_of_applying() -> Result<()> {
    let namespace = Namespace::create("e2e-unions")?;
    for how in [&["apply", "-f", "-"][..], &["apply", "--server-side", "--force-conflicts", "-f", "-"]] {
        for spec in [
            "suspend: true, storage: {ephemeral: {}}",
            "suspend: true, storage: {ephemeral: {}}, cache: {memory: {}}, tls: {disabled: {}}",
            "suspend: true, storage: {ephemeral: {}}, cache: {none: {}}, tls: {selfSigned: {}}",
            "suspend: true, storage: {ephemeral: {}}, cache: {redis: {managed: {}}}, tls: {secretRef: {name: x}}",
            "suspend: true, storage: {ephemeral: {}}",
        ] {
            let mut command = kubectl(&["-n", namespace.name()]);
            run_with_input(command.args(how), &manifest("team", &format!("{{{spec}}}")))?;
        }
        let object = get(namespace.name(), &["preg", "team"])?;
        ensure!(
            object["spec"].get("cache").is_none() && object["spec"].get("tls").is_none(),
            "{}",
            object["spec"]
        );
    }
    Ok(())
}

// operator 87
#[test]
fn a_pod_template_that_hides_pods_from_the_operator_is_refused_by_condition() -> Result<()> {
    let namespace = Namespace::create("e2e-template")?;
    let labels = "{template: {metadata: {labels: {app.kubernetes.io/instance: other}}}}";
    apply(namespace.name(), &manifest("team", &format!("{{storage: {{ephemeral: {{}}}}, pod: {labels}}}")))?;
    let said = until(namespace.name(), "team", "Ready", "False/InvalidSpec")?;
    ensure!(said.contains("spec.pod.template") && said.contains("app.kubernetes.io/instance"), "{said}");
    Ok(())
}

// operator 84: an explicit null means absence
#[test]
fn explicit_nulls_are_absence() -> Result<()> {
    let namespace = Namespace::create("e2e-nulls")?;
    let nulls = "image: null, logging: null, cache: {memory: {maxSize: null}}, tls: null, auth: null, exposure: null, networkPolicy: null, \
                 limits: {maxBlobSize: null, maxManifestSize: null, uploadExpiry: null}, pod: null, drainTimeout: null";
    apply(
        namespace.name(),
        &manifest("team", &format!("{{storage: {{ephemeral: {{}}, filesystem: null}}, {nulls}}}")),
    )?;
    settled(namespace.name(), "team")?;
    let object = get(namespace.name(), &["preg", "team"])?;
    ensure!(object["spec"]["drainTimeout"] == "5m", "{}", object["spec"]);
    Ok(())
}

// Quantities are numbers to many people: without quotes they are integers, and mean the same.
#[test]
fn numbers_without_quotes_are_quantities() -> Result<()> {
    let namespace = Namespace::create("e2e-numbers")?;
    let numbers = "storage: {filesystem: {size: 1073741824}}, limits: {maxBlobSize: 5000000, maxManifestSize: 1048576}, \
                   cache: {redis: {managed: {maxMemory: 16777216, resources: {limits: {memory: 67108864}}}}}, \
                   pod: {resources: {limits: {cpu: 1}}}";
    apply(namespace.name(), &manifest("team", &whole(numbers)))?;
    settled(namespace.name(), "team")?;
    let smaller = numbers.replace("1073741824", "1073741823");
    refused(namespace.name(), "team", &smaller, "size cannot shrink: a volume can only grow")?;
    let registry = Registry::ready(namespace.name(), "team")?;
    ensure!(registry.status_of("/v2/", "admin", &registry.password)? == "200", "it no longer serves");
    Ok(())
}

// operator 114: what a person sees at a glance
#[test]
fn kubectl_tells_at_a_glance() -> Result<()> {
    let namespace = Namespace::create("e2e-columns")?;
    apply(namespace.name(), &manifest("team", "{storage: {ephemeral: {}}, cache: {none: {}}}"))?;
    settled(namespace.name(), "team")?;
    let wide = run(&mut kubectl(&["-n", namespace.name(), "get", "preg", "-o", "wide"]))?;
    let (head, line) = wide.split_once('\n').unwrap_or_default();
    for column in ["READY", "REASON", "URL", "STORAGE", "REPLICAS", "AGE", "CERT-UNTIL", "VERSION"] {
        ensure!(head.contains(column), "no {column} in {head}");
    }
    for word in ["True", "AllReady", "https://team-registry.e2e-columns.svc", "ephemeral", "20"] {
        ensure!(line.contains(word), "no {word} in {line}");
    }
    let described = run(&mut kubectl(&["-n", namespace.name(), "describe", "preg", "team"]))?;
    ensure!(described.contains("CertificateIssued") && described.contains("Status:"), "{described}");
    Ok(())
}

// The examples of this repository are taken by the API server as they are.
#[test]
fn every_example_is_valid() -> Result<()> {
    let namespace = Namespace::create("e2e-examples")?;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let manifest = std::fs::read_to_string(entry?.path())?;
        let dry = ["-n", namespace.name(), "apply", "--dry-run=server", "--validate=strict", "-f", "-"];
        run_with_input(&mut kubectl(&dry), &manifest)?;
        count += 1;
    }
    ensure!(count >= 3, "only {count} examples");
    Ok(())
}
