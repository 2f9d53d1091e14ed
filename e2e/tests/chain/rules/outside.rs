//! Values that no field takes.

use anyhow::Result;
use e2e::namespace::Namespace;

use super::refused;

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
    ("immutableTags: [{tags: [v1]}]", "spec.immutableTags[0].repositories: Required value"),
    (
        "immutableTags: [{repositories: ['{a'], tags: [v1]}]",
        "spec.immutableTags[0].repositories[0] in body should match",
    ),
    (
        "immutableTags: [{repositories: ['**'], tags: []}]",
        "spec.immutableTags[0].tags in body should have at least 1 items",
    ),
    ("warnings: [{}]", "spec.warnings[0].text: Required value"),
    ("warnings: [{text: ' '}]", "spec.warnings[0].text in body should match"),
    ("warnings: [{text: é}]", "spec.warnings[0].text in body should match"),
    (r#"warnings: [{text: "two\nlines"}]"#, "spec.warnings[0].text in body should match"),
    (
        "warnings: [{text: x, repositories: []}]",
        "spec.warnings[0].repositories in body should have at least 1 items",
    ),
    ("warnings: [{text: x, repositories: ['{a']}]", "spec.warnings[0].repositories[0] in body should match"),
    ("quota: {}", "spec.quota.repositories: Required value"),
    ("quota: {repositories: []}", "spec.quota.repositories in body should have at least 1 items"),
    ("quota: {repositories: [{repositories: ['**']}]}", "spec.quota.repositories[0].size: Required value"),
    (
        "quota: {repositories: [{repositories: ['{a'], size: 1Gi}]}",
        "spec.quota.repositories[0].repositories[0] in body should match",
    ),
    ("auth: {access: []}", "spec.auth.access in body should have at least 1 items"),
    (
        "auth: {access: [{subjects: ['user:'], repositories: ['**'], actions: [Pull]}]}",
        "spec.auth.access[0].subjects[0] in body should match",
    ),
    (
        "auth: {access: [{subjects: [authenticated], repositories: ['**'], actions: [Read]}]}",
        "spec.auth.access[0].actions[0]: Unsupported value",
    ),
    (
        "auth: {access: [{subjects: ['serviceaccount:prod'], repositories: ['**'], actions: [Pull]}]}",
        "spec.auth.access[0].subjects[0] in body should match",
    ),
    (
        "auth: {oidc: [{name: a, issuer: 'http://example.com', audiences: [b], jwksRef: {name: c}}]}",
        "spec.auth.oidc[0].issuer in body should match",
    ),
    (
        "auth: {oidc: [{name: A, issuer: 'https://a', audiences: [b], jwksRef: {name: c}}]}",
        "spec.auth.oidc[0].name in body should match",
    ),
    (
        "auth: {oidc: [{name: a, issuer: 'https://a', audiences: [], jwksRef: {name: c}}]}",
        "spec.auth.oidc[0].audiences in body should have at least 1 items",
    ),
    (
        "auth: {oidc: [{name: a, issuer: 'https://a', audiences: [b]}]}",
        "spec.auth.oidc[0].jwksRef: Required value",
    ),
    (
        "auth: {access: [{subjects: ['oidc:a'], repositories: ['**'], actions: [Pull]}]}",
        "spec.auth.access[0].subjects[0] in body should match",
    ),
    (
        "auth: {token: {external: {realm: 'http://auth', service: b, issuer: c, jwksRef: {name: d}}}}",
        "spec.auth.token.external.realm in body should match",
    ),
    (
        "auth: {token: {external: {realm: 'https://a', service: 'b\"', issuer: c, jwksRef: {name: d}}}}",
        "spec.auth.token.external.service in body should match",
    ),
    (
        "auth: {token: {external: {realm: 'https://a', service: b, jwksRef: {name: d}}}}",
        "spec.auth.token.external.issuer: Required value",
    ),
    ("auth: {token: {builtIn: {lifetime: soon}}}", "spec.auth.token.builtIn.lifetime in body should match"),
    ("auth: {serviceAccounts: {}}", "spec.auth.serviceAccounts.audiences: Required value"),
    (
        "auth: {serviceAccounts: {audiences: []}}",
        "spec.auth.serviceAccounts.audiences in body should have at least 1 items",
    ),
    (
        "auth: {serviceAccounts: {audiences: ['a b']}}",
        "spec.auth.serviceAccounts.audiences[0] in body should match",
    ),
    ("drainTimeout: 5", "spec.drainTimeout in body must be of type string"),
    ("drainTimeout: 30d", "spec.drainTimeout in body should match"),
    ("drainTimeout: ''", "spec.drainTimeout in body should be at least 2 chars long"),
    ("drainTimeout: '100000000000000000000h'", "spec.drainTimeout: Too long"),
    ("image: {}", "spec.image.reference: Required value"),
    ("image: {reference: a, pullPolicy: Sometimes}", "spec.image.pullPolicy: Unsupported value"),
    ("logging: {level: Loud}", "spec.logging.level: Unsupported value"),
    ("logging: {format: XML}", "spec.logging.format: Unsupported value"),
    ("logging: {audit: Some}", "spec.logging.audit: Unsupported value"),
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
    ("tls: {clientCARef: {}}", "spec.tls.clientCARef.name: Required value"),
    ("tls: {clientCARef: {name: a, identity: dns}}", "spec.tls.clientCARef.identity: Unsupported value"),
    ("auth: {htpasswd: {users: [{}]}}", "spec.auth.htpasswd.users[0].name: Required value"),
    ("auth: {htpasswd: {users: [{name: Anna}]}}", "spec.auth.htpasswd.users[0].name in body should match"),
    ("auth: {htpasswd: {users: [{name: ci}, {name: ci}]}}", "spec.auth.htpasswd.users[1]: Duplicate value"),
    (
        "auth: {htpasswd: {secretRef: {name: mine}, minimumHash: MD5}}",
        "spec.auth.htpasswd.minimumHash: Unsupported value",
    ),
    ("exposure: {hostnames: [UPPER.example.com]}", "spec.exposure.hostnames[0] in body should match"),
    ("exposure: {hostnames: [a..b]}", "spec.exposure.hostnames[0] in body should match"),
    ("exposure: {hostnames: [a.-b]}", "spec.exposure.hostnames[0] in body should match"),
    ("exposure: {hostnames: [192.0.2.1]}", "spec.exposure.hostnames[0] in body should match"),
    (
        "exposure: {hostnames: [a-label-of-sixty-four-characters-which-is-one-more-than-dns-carr.y]}",
        "spec.exposure.hostnames[0] in body should match",
    ),
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
    ("tls: {clientCARef: {name: ~}}", 253),
    ("tls: {clientCARef: {name: a, key: ~}}", 253),
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
