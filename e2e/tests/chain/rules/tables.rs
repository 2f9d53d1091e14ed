//! Objects that break rules of the API. Tests of the operator read them, too.

/// Specs that break a rule, with the rule's words. Where nothing is said of the storage, it is ephemeral.
pub const BROKEN: &[(&str, &str)] = &[
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
    (
        "auth: {access: [{subjects: [authenticated, anonymous], repositories: ['**'], actions: [Pull, Push]}]}",
        "anonymous may be allowed Pull and List only",
    ),
    (
        "auth: {access: [{subjects: ['serviceaccount:prod/*'], repositories: ['**'], actions: [Pull]}]}",
        "rules for service accounts need auth.serviceAccounts",
    ),
    ("auth: {token: {}}", "set exactly one of builtIn and external"),
    (
        "auth: {token: {builtIn: {}, external: {realm: 'https://a', service: b, issuer: c, jwksRef: {name: d}}}}",
        "set exactly one of builtIn and external",
    ),
    (
        "auth: {token: {external: {realm: 'https://a', service: b, issuer: c}}}",
        "set exactly one of jwksRef and rootCertBundleRef",
    ),
    (
        "auth: {token: {external: {realm: 'https://a', service: b, issuer: c, jwksRef: {name: d}, rootCertBundleRef: {name: e}}}}",
        "set exactly one of jwksRef and rootCertBundleRef",
    ),
    (
        "auth: {htpasswd: {users: [{name: ann}]}, token: {external: {realm: 'https://a', service: b, issuer: c, jwksRef: {name: d}}}}",
        "auth.token.external takes the place of auth.htpasswd: leave one of them out",
    ),
    (
        "auth: {access: [{subjects: [authenticated, 'group:dev'], repositories: ['**'], actions: [Pull], effect: Deny}],
          token: {external: {realm: 'https://a', service: b, issuer: c, jwksRef: {name: d}}}}",
        "with auth.token.external nobody is in a group: rules name the users of its tokens as user:NAME",
    ),
    ("auth: {token: {builtIn: {lifetime: 59s}}}", "lifetime must be 1m to 24h"),
    ("auth: {token: {builtIn: {lifetime: 24h1s}}}", "lifetime must be 1m to 24h"),
    (
        "exposure: {trustedProxies: [10.0.0.1]}",
        "each entry of trustedProxies must be a CIDR, such as 10.244.0.0/16",
    ),
    (
        "exposure: {trustedProxies: [proxy.example.com]}",
        "each entry of trustedProxies must be a CIDR, such as 10.244.0.0/16",
    ),
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
    ("tls: {disabled: {}, clientCARef: {name: builds}}", "clientCARef needs TLS"),
    ("tls: {selfSigned: {caLifetime: 3000h}}", "caLifetime must be at least twice certificateLifetime"),
    ("tls: {selfSigned: {certificateLifetime: 59m}}", "certificateLifetime must be at least 1h"),
    (
        "tls: {disabled: {}}, exposure: {service: {type: NodePort}}",
        "tls.disabled is allowed behind a ClusterIP Service only",
    ),
    ("tls: {disabled: {}}, exposure: {service: {httpRedirect: Enabled}}", "httpRedirect needs TLS"),
    (
        "tls: {disabled: {}}, auth: {token: {builtIn: {}}}",
        "auth.token.builtIn needs TLS: clients would be told to send passwords to an http address",
    ),
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
    (TOO_MUCH, "warnings must be at most 4096 bytes as headers: clients ignore more"),
    (
        "quota: {repositories: [{repositories: ['**'], size: '0'}]}",
        "size must be a quantity above 0, such as 100Gi",
    ),
    (
        "quota: {repositories: [{repositories: ['**'], size: lots}]}",
        "size must be a quantity above 0, such as 100Gi",
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

/// A text of 120 characters, 33 times.
const TOO_MUCH: &str = "warnings: [&all {text: 'a text of one hundred and twenty characters, which stands here again and again until it is more than clients would read.'} \
    , *all, *all, *all, *all, *all, *all, *all, *all, *all, *all, *all\
    , *all, *all, *all, *all, *all, *all, *all, *all, *all, *all, *all\
    , *all, *all, *all, *all, *all, *all, *all, *all, *all, *all]";

/// Rules that compare an object with what it was: what it is at first, what it is to become, and their words.
pub const FIXED: &[(&str, &str, &str)] = &[
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

/// The rule that the metadata has to follow.
pub const NAME: &str = "name must be a DNS-1035 label of at most 40 characters";

/// The whole spec.
pub fn whole(spec: &str) -> String {
    let storage = if spec.contains("storage: ") { "" } else { "storage: {ephemeral: {}}, " };
    format!("{{{storage}{spec}}}")
}
