//! All children of six objects, as files to read: a change shows in review. `INSTA_UPDATE=always` writes them anew.

use crate::sample::{every_child, model};

// operator 80
#[test]
fn children_of_six_objects() {
    for (name, spec) in [
        ("minimal", "storage: {filesystem: {size: 20Gi}}"),
        ("ephemeral", "{deletionPolicy: Delete, storage: {ephemeral: {sizeLimit: 1Gi}}, cache: {memory: {}}}"),
        (
            "existing-claim",
            "{storage: {filesystem: {existingClaimName: old}}, cache: {none: {}}, networkPolicy: {mode: Disabled}}",
        ),
        (
            "shared",
            "{replicas: 3, storage: {filesystem: {size: 1Ti, storageClassName: shared, accessMode: ReadWriteMany}},
              exposure: {hostnames: [registry.example.com], service: {type: LoadBalancer}}}",
        ),
        (
            "own-certificate",
            "{storage: {filesystem: {size: 1Gi}}, tls: {secretRef: {name: wildcard}},
              auth: {htpasswd: {users: [{name: ci}], secretRef: {name: accounts}}},
              cache: {redis: {external: {addresses: ['redis.example.com:6380'], tls: {caBundleRef: {name: ca}}}}}}",
        ),
        ("plain", "{storage: {filesystem: {size: 1Gi}}, tls: {disabled: {}}, suspend: true, readOnly: true}"),
    ] {
        let documents: Vec<String> =
            every_child(&model("team", spec)).iter().map(|child| serde_saphyr::to_string(child).unwrap()).collect();
        insta::assert_snapshot!(name, documents.join("---\n"));
    }
}
