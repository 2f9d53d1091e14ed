//! Leaves of the spec: what each is set to, and a child that follows it.

/// A leaf as a JSON pointer into the spec, what it is set to, and the end of the path of a child that follows.
pub type Row = (&'static str, &'static str, &'static str);

const DEPLOYMENT: &str = "deployments/team-registry";
const REDIS: &str = "deployments/team-redis";
const LIVE: &str = "configmaps/team-live";
const CLIENTS: &str = "configmaps/team-clients";
const TOKENS: &str = "configmaps/team-tokens-4b57586594";
const CERTIFICATES: &str = "configmaps/team-tokens-541d46de53";
const ACCOUNTS: &str = "secrets/team-htpasswd";
const LOGIN: &str = "secrets/team-redisauth";
const SERVED: &str = "secrets/team-tls";
const SERVICE: &str = "services/team-registry";
const POLICY: &str = "networkpolicies/team-registry";
/// No child follows before something else happens: what the leaf does then has tests of its own.
pub const LATER: &str = "";

/// What an object says, and leaves that are set in it one at a time.
pub const FIELDS: &[(&str, &[Row])] = &[
    (crate::world::SIX_LINES, ABSENT),
    (
        "{storage: {ephemeral: {}}}",
        &[("/storage/ephemeral/sizeLimit", "1Gi", DEPLOYMENT)],
    ),
    (
        "{storage: {filesystem: {size: 1Gi, accessMode: ReadWriteMany}}, replicas: 1}",
        &[
            ("/replicas", "2", "poddisruptionbudgets/team-registry"),
            ("/replicas", "3", DEPLOYMENT),
            ("/replicas", "0", DEPLOYMENT),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, image: {reference: 'other:1'}}",
        &[
            ("/image/reference", "other:2", DEPLOYMENT),
            ("/image/pullPolicy", "Always", DEPLOYMENT),
            ("/image/pullSecrets", "[{name: mirror}]", DEPLOYMENT),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, exposure: {service: {type: NodePort}}}",
        &[
            ("/exposure/service/nodePort", "30443", SERVICE),
            ("/exposure/service/externalTrafficPolicy", "Local", SERVICE),
            ("/exposure/service/type", "LoadBalancer", SERVICE),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, exposure: {service: {type: LoadBalancer}}}",
        &[("/exposure/service/loadBalancerClass", "inside", SERVICE)],
    ),
    (
        "{storage: {ephemeral: {}}, immutableTags: [{repositories: ['**'], tags: ['v*']}]}",
        &[
            ("/immutableTags/0/repositories", "['team/**']", LIVE),
            ("/immutableTags/0/tags", "['v*', 'r*']", LIVE),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, quota: {repositories: [{repositories: ['**'], size: 1Gi}]}}",
        &[
            ("/quota/repositories/0/repositories", "['team/**']", LIVE),
            ("/quota/repositories/0/size", "2Gi", LIVE),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, logging: {audit: Enabled}}",
        &[("/logging/audit", "EnabledWithReads", DEPLOYMENT)],
    ),
    (
        "{storage: {ephemeral: {}}, warnings: [{text: 'moves on Friday'}]}",
        &[
            ("/warnings/0/text", "moves on Monday", LIVE),
            ("/warnings/0/repositories", "['team/**']", LIVE),
        ],
    ),
    ("{storage: {ephemeral: {}}, tls: {secretRef: {name: own}}}", &[("/tls/secretRef/name", "another", SERVED)]),
    (
        "{storage: {ephemeral: {}}, tls: {clientCARef: {name: bundle}}}",
        &[
            ("/tls/clientCARef/name", "keys", CLIENTS),
            ("/tls/clientCARef/key", "other.crt", CLIENTS),
            ("/tls/clientCARef/identity", "DNS", DEPLOYMENT),
        ],
    ),
    ("{storage: {ephemeral: {}}, tls: {selfSigned: {certificateLifetime: 240h, caLifetime: 2400h}}}", SIGNED),
    (
        "{storage: {ephemeral: {}}, cache: {redis: {managed: {maxMemory: 64Mi, image: 'redis:6',
          resources: {limits: {memory: 1Gi}, requests: {cpu: 10m}}}}}}",
        &[
            ("/cache/redis/managed/maxMemory", "32Mi", REDIS),
            ("/cache/redis/managed/image", "redis:8", REDIS),
            ("/cache/redis/managed/resources/limits", "{memory: 2Gi}", REDIS),
            ("/cache/redis/managed/resources/requests", "{cpu: 20m}", REDIS),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, cache: {redis: {external: {mode: Sentinel, sentinelMaster: main,
          addresses: ['127.0.0.1:1'], credentialsSecretRef: {name: login}, sentinelCredentialsSecretRef: {name: login},
          tls: {caBundleRef: {name: bundle}, clientSecretRef: {name: own}}}}}}",
        EXTERNAL,
    ),
    (
        "{storage: {ephemeral: {}}, cache: {redis: {external: {addresses: ['127.0.0.1:1']}}}}",
        &[
            ("/cache/redis/external/addresses", "['127.0.0.1:2']", DEPLOYMENT),
            ("/cache/redis/external/database", "1", DEPLOYMENT),
            ("/cache/redis/external/credentialsSecretRef", "{name: login}", LOGIN),
            ("/cache/redis/external/tls/caBundleRef/name", "bundle", DEPLOYMENT),
            (
                "/cache/redis/external",
                "{mode: Cluster, addresses: ['127.0.0.1:1', '127.0.0.1:2']}",
                DEPLOYMENT,
            ),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, auth: {htpasswd: {users: [{name: admin}]}}}",
        &[
            ("/auth/htpasswd/secretRef/name", "file", ACCOUNTS),
            ("/auth/htpasswd/users/0/groups", "[ops]", LIVE),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, auth: {htpasswd: {secretRef: {name: file}, users: [{name: dev,
          passwordSecretRef: {name: login}}, {name: admin}]}}}",
        USERS,
    ),
    (
        "{storage: {ephemeral: {}}, auth: {token: {builtIn: {lifetime: 5m}}}}",
        &[("/auth/token/builtIn/lifetime", "10m", DEPLOYMENT)],
    ),
    (
        "{storage: {ephemeral: {}}, auth: {token: {external: {realm: 'https://auth.example.com/token', service: registry,
          issuer: auth, jwksRef: {name: keys}}}}}",
        &[
            ("/auth/token/external/realm", "https://auth.example.com/other", DEPLOYMENT),
            ("/auth/token/external/service", "other", DEPLOYMENT),
            ("/auth/token/external/issuer", "other", DEPLOYMENT),
            ("/auth/token/external/jwksRef/name", "bundle", TOKENS),
            ("/auth/token/external/jwksRef/key", "other.json", TOKENS),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, auth: {token: {external: {realm: 'https://auth.example.com/token', service: registry,
          issuer: auth, rootCertBundleRef: {name: bundle}}}}}",
        &[
            ("/auth/token/external/rootCertBundleRef/name", "keys", CERTIFICATES),
            ("/auth/token/external/rootCertBundleRef/key", "other.crt", CERTIFICATES),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, auth: {access: [{subjects: [authenticated], repositories: ['**'], actions: [Pull]}]}}",
        &[
            ("/auth/access/0/subjects", "[anonymous]", LIVE),
            ("/auth/access/0/repositories", "['team/**']", LIVE),
            ("/auth/access/0/actions", "[Pull, List]", LIVE),
            ("/auth/access/0/effect", "Deny", LIVE),
        ],
    ),
    (
        "{storage: {ephemeral: {}}, auth: {oidc: [{name: forge, issuer: 'https://a.example.com', audiences: [a],
          jwksRef: {name: keys}}]}}",
        ISSUERS,
    ),
];

/// Leaves of sections that are not there.
const ABSENT: &[Row] = &[
    ("/replicas", "0", DEPLOYMENT),
    ("/suspend", "true", DEPLOYMENT),
    ("/readOnly", "true", LIVE),
    ("/deletionPolicy", "Delete", "persistentvolumeclaims/team-data"),
    ("/imageDeletion", "Disabled", LIVE),
    ("/logging/level", "Debug", LIVE),
    ("/logging/access", "Disabled", LIVE),
    ("/logging/audit", "Enabled", DEPLOYMENT),
    ("/logging/format", "Text", DEPLOYMENT),
    ("/immutableTags", "[{repositories: ['**'], tags: ['v*']}]", LIVE),
    ("/warnings", "[{text: 'moves on Friday', repositories: ['**']}]", LIVE),
    ("/quota", "{repositories: [{repositories: ['**'], size: 1Gi}]}", LIVE),
    ("/limits/maxBlobSize", "1Gi", LIVE),
    ("/limits/maxManifestSize", "1Mi", LIVE),
    ("/limits/uploadExpiry", "1h", LIVE),
    ("/drainTimeout", "30s", DEPLOYMENT),
    ("/image/reference", "other:1", DEPLOYMENT),
    ("/cache/none", "{}", REDIS),
    ("/cache/memory/maxSize", "32Mi", REDIS),
    ("/cache/redis/managed/maxMemory", "512Mi", REDIS),
    ("/cache/redis/managed/image", "redis:8", REDIS),
    ("/cache/redis/managed/resources/limits", "{memory: 1Gi}", REDIS),
    ("/cache/redis/managed/resources/requests", "{cpu: 10m}", REDIS),
    ("/cache/redis/external/addresses", "['127.0.0.1:1']", REDIS),
    ("/tls/disabled", "{}", SERVICE),
    ("/tls/secretRef/name", "own", SERVED),
    ("/tls/clientCARef", "{name: bundle}", DEPLOYMENT),
    ("/tls/selfSigned/certificateLifetime", "240h", SERVED),
    ("/auth/htpasswd/users", "[{name: admin}, {name: ci}]", ACCOUNTS),
    ("/auth/access", "[{subjects: [authenticated], repositories: ['**'], actions: [Pull]}]", LIVE),
    ("/auth/serviceAccounts/audiences", "[registry.example.com]", LIVE),
    (
        "/auth/oidc",
        "[{name: forge, issuer: 'https://a.example.com', audiences: [b], jwksRef: {name: keys}}]",
        LIVE,
    ),
    ("/auth/token/builtIn", "{}", DEPLOYMENT),
    ("/exposure/hostnames", "[registry.example.com]", SERVED),
    ("/exposure/trustedProxies", "[10.244.0.0/16]", LIVE),
    ("/exposure/service/type", "NodePort", SERVICE),
    ("/exposure/service/port", "8443", SERVICE),
    ("/exposure/service/httpRedirect", "Enabled", SERVICE),
    ("/exposure/service/annotations", "{a: b}", SERVICE),
    ("/networkPolicy/mode", "Disabled", POLICY),
    ("/networkPolicy/metricsFrom", "[{podSelector: {}}]", POLICY),
    ("/networkPolicy/egress", "[]", POLICY),
    ("/pod/resources/limits", "{memory: 1Gi}", DEPLOYMENT),
    ("/pod/resources/requests", "{cpu: 10m}", DEPLOYMENT),
    ("/pod/nodeSelector", "{a: b}", DEPLOYMENT),
    ("/pod/tolerations", "[{key: a}]", DEPLOYMENT),
    ("/pod/affinity", "{nodeAffinity: {}}", DEPLOYMENT),
    ("/pod/topologySpreadConstraints", "[]", DEPLOYMENT),
    ("/pod/priorityClassName", "high", DEPLOYMENT),
    ("/pod/labels", "{a: b}", DEPLOYMENT),
    ("/pod/annotations", "{a: b}", DEPLOYMENT),
    ("/pod/serviceAccountName", "mine", DEPLOYMENT),
    ("/pod/serviceAccountAnnotations", "{a: b}", "serviceaccounts/team-registry"),
    ("/pod/template", "{spec: {hostname: one}}", DEPLOYMENT),
];

/// A CA of the registry's own is not replaced for another lifetime: clients trust it.
const SIGNED: &[Row] = &[
    ("/tls/selfSigned/certificateLifetime", "480h", SERVED),
    ("/tls/selfSigned/caLifetime", "4800h", LATER),
];

const EXTERNAL: &[Row] = &[
    ("/cache/redis/external/addresses", "['127.0.0.1:2', '127.0.0.1:3']", DEPLOYMENT),
    ("/cache/redis/external/sentinelMaster", "other", DEPLOYMENT),
    ("/cache/redis/external/database", "2", DEPLOYMENT),
    ("/cache/redis/external/credentialsSecretRef/name", "another", LOGIN),
    ("/cache/redis/external/sentinelCredentialsSecretRef/name", "another", LOGIN),
    ("/cache/redis/external/tls/caBundleRef/name", "keys", DEPLOYMENT),
    ("/cache/redis/external/tls/caBundleRef/key", "other.crt", DEPLOYMENT),
    ("/cache/redis/external/tls/clientSecretRef/name", "another", DEPLOYMENT),
];

const USERS: &[Row] = &[
    ("/auth/htpasswd/users/0/name", "ops", ACCOUNTS),
    ("/auth/htpasswd/users/0/groups", "[ops]", LIVE),
    ("/auth/htpasswd/users/0/passwordSecretRef/name", "another", ACCOUNTS),
    ("/auth/htpasswd/users/0/passwordSecretRef/key", "other", ACCOUNTS),
    ("/auth/htpasswd/users/1/rotateEvery", "720h", LATER),
    ("/auth/htpasswd/users/1/overlap", "2h", LATER),
    ("/auth/htpasswd/secretRef/name", "another", ACCOUNTS),
    ("/auth/htpasswd/secretRef/key", "other", ACCOUNTS),
    ("/auth/htpasswd/minimumHash", "Bcrypt", ACCOUNTS),
    ("/auth/serviceAccounts/audiences", "[registry.example.com]", LIVE),
];

const ISSUERS: &[Row] = &[
    ("/auth/oidc/0/name", "smithy", LIVE),
    ("/auth/oidc/0/issuer", "https://b.example.com", LIVE),
    ("/auth/oidc/0/audiences", "[a, b]", LIVE),
    ("/auth/oidc/0/jwksRef/name", "bundle", LIVE),
    ("/auth/oidc/0/jwksRef/key", "other.json", LIVE),
    ("/auth/oidc/0/usernameClaim", "email", LIVE),
    ("/auth/oidc/0/groupsClaim", "groups", LIVE),
    ("/auth/oidc/0/requiredClaims", "{owner: acme}", LIVE),
];
