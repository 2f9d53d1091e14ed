//! Rules of the API, each broken.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, get},
    namespace::Namespace,
    object::manifest,
};

use super::{fixed::FIXED, refused, whole};

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
        "storage: {filesystem: {existingClaimName: old, accessMode: ReadWriteMany}}",
        "accessMode goes with size: an existing claim has its own",
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

// operator 21, operator 57, operator 59, operator 83
#[test]
fn objects_that_cannot_work_are_refused_with_the_reason() -> Result<()> {
    let namespace = Namespace::create("e2e-rules")?;
    for (spec, words) in BROKEN {
        refused(namespace.name(), "team", spec, words)?;
    }
    for name in ["a".repeat(41), "a".repeat(63), "a".repeat(253), "phi-3.5".into(), "9lives".into()] {
        refused(namespace.name(), &name, "suspend: true", NAME)?;
    }
    // Names that no object of any kind may have: the API server says so before it asks a rule.
    for name in ["Team".to_owned(), "a".repeat(254)] {
        refused(namespace.name(), &name, "suspend: true", "metadata.name: Invalid value")?;
    }
    apply(namespace.name(), &manifest(&"a".repeat(40), &whole("suspend: true"))).map(drop)
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
fn every_rule_of_the_api_is_broken_by_a_test() -> Result<()> {
    let crd = get("default", &["crd", "privateregistries.privateregistry.dev"])?;
    let mut rules = BTreeSet::new();
    messages(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], &mut rules);
    rules.retain(|rule| !rule.starts_with(NAME));
    let broken = BROKEN.iter().map(|(_, words)| *words).chain(FIXED.iter().map(|(_, _, words)| *words));
    let broken: BTreeSet<String> = broken.map(str::to_owned).collect();
    ensure!(rules == broken, "{:?}", rules.symmetric_difference(&broken));
    Ok(())
}
