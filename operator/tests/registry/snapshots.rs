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

// operator 4, guarantee 2: the same object, its keys in any order
#[test]
fn the_order_of_keys_says_nothing() {
    let forth = "{storage: {ephemeral: {}}, pod: {labels: {a: '1', b: '2'}, annotations: {c: '3', d: '4'}, nodeSelector: {e: '5',
        f: '6'}, template: {spec: {hostname: h, dnsPolicy: Default}}}, exposure: {service: {annotations: {x: '1', y: '2'}}}}";
    let back = "{exposure: {service: {annotations: {y: '2', x: '1'}}}, pod: {template: {spec: {dnsPolicy: Default, hostname: h}},
        nodeSelector: {f: '6', e: '5'}, annotations: {d: '4', c: '3'}, labels: {b: '2', a: '1'}}, storage: {ephemeral: {}}}";
    let bytes =
        |spec: &str| every_child(&model("team", spec)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(bytes(forth), bytes(back));
}
