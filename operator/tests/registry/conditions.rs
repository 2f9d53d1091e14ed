//! Status: a table of what was seen and what is said about it.

use operator::{
    crd::{
        condition::{kind, reason},
        registry::PrivateRegistry,
        status::PrivateRegistryStatus,
    },
    private_registry::{
        accounts::{file::Merged, listing::Unusable},
        certificate::Certificate,
        certificates::inspect::Facts,
        credentials::Credentials,
        desired::deployment::Placement,
        error::{PassError, Problem},
        hostnames::Taken,
        model::Store,
        observe::Class,
        placement::Decision,
        redis_probe::Answer,
        server_probe::{Told, Trouble},
        status::{compute, observed::Observed},
    },
};
use serde_json::{Value, json};

use crate::sample::{SIX_LINES, model, object};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

/// A pass over a registry with nothing wrong.
fn good() -> Observed {
    let ready = json!({"metadata": {"generation": 1}, "spec": {"replicas": 1}, "status": {"observedGeneration": 1,
        "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}});
    Observed {
        deployment: Some(ready.clone()),
        service: json!({}),
        redis: Some(ready),
        claim: Some(
            json!({"spec": {"storageClassName": "slow", "resources": {"requests": {"storage": "1Gi"}}},
            "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}),
        ),
        decision: Decision {
            placement: Placement {
                store: Store::OwnClaim("team-data".into()),
                uid: Some("1".into()),
                initialized: true,
                ..Placement::default()
            },
            claim: true,
            ..Decision::default()
        },
        certificate: Certificate {
            facts: Some(Facts {
                names: vec!["team".into()],
                not_before: NOW,
                not_after: NOW + 90 * DAY,
                ..Facts::default()
            }),
            trust: Some("pem".into()),
            ..Certificate::default()
        },
        credentials: Credentials {
            file: Some(Merged { users: 2, ..Merged::default() }),
            ..Credentials::default()
        },
        ..Observed::default()
    }
}

fn status(spec: &str, seen: &Observed) -> PrivateRegistryStatus {
    compute::compute(&object("team", spec), &model("team", spec), seen, NOW)
}

/// `status/reason` of a condition.
fn said(status: &PrivateRegistryStatus, kind: &str) -> String {
    let found = status.conditions.iter().find(|condition| condition.type_ == kind).unwrap();
    assert_eq!(found.observed_generation, Some(1), "{kind}");
    format!("{}/{}", found.status, found.reason)
}

fn message(status: &PrivateRegistryStatus, kind: &str) -> String {
    status.conditions.iter().find(|condition| condition.type_ == kind).unwrap().message.clone()
}

// operator 1
#[test]
fn every_condition_is_there_on_the_first_visit_and_when_all_is_well() {
    let first = compute::first(&object("team", SIX_LINES), NOW);
    for kind in kind::ALL {
        assert_eq!(said(&first, kind), "Unknown/Reconciling");
    }
    let status = status(SIX_LINES, &good());
    let all: Vec<String> = kind::ALL.iter().map(|kind| format!("{kind}={}", said(&status, kind))).collect();
    assert_eq!(
        all,
        [
            "Ready=True/AllReady",
            "Available=True/PodsReady",
            "Progressing=False/RolledOut",
            "Degraded=False/AsExpected",
            "StorageReady=True/VolumeBound",
            "VolumeResizing=False/NotResizing",
            "CertificateReady=True/Issued",
            "CredentialsReady=True/AccountsReady",
            "CacheReady=True/Connected",
            "ExposureReady=True/Exposed",
        ]
    );
    assert_eq!(status.url.as_deref(), Some("https://team-registry.tools.svc"));
    assert_eq!(status.storage.unwrap().store_id.as_deref(), Some("1"));
}

// guarantee 8, operator 8: the same state gives the same status, whenever it is looked at
#[test]
fn two_passes_over_the_same_state_give_the_same_status() {
    let mut object = object("team", SIX_LINES);
    let first = compute::compute(&object, &model("team", SIX_LINES), &good(), NOW);
    object.status = Some(first.clone());
    assert_eq!(compute::compute(&object, &model("team", SIX_LINES), &good(), NOW + 1000), first);
}

/// What is seen, and what each condition then says.
type Case = (&'static str, fn(&mut Observed), &'static [(&'static str, &'static str)]);

#[test]
fn each_thing_that_is_wrong_has_its_word() {
    let cases: &[Case] = &[
        // operator 31
        (
            "claim pending",
            |seen| claim(seen)["status"] = json!({"phase": "Pending"}),
            &[(kind::STORAGE_READY, "False/VolumePending"), (kind::READY, "False/VolumePending")],
        ),
        // operator 100
        (
            "no such class",
            |seen| {
                claim(seen)["status"] = json!({"phase": "Pending"});
                seen.classes = Some(vec![Class { name: "fast".into(), ..Class::default() }]);
            },
            &[(kind::STORAGE_READY, "False/StorageClassNotFound")],
        ),
        (
            "claim lost",
            |seen| claim(seen)["status"] = json!({"phase": "Lost"}),
            &[
                (kind::STORAGE_READY, "False/ClaimLost"),
                (kind::AVAILABLE, "True/PodsReady"),
                (kind::READY, "False/ClaimLost"),
            ],
        ),
        // operator 97
        (
            "held",
            |seen| seen.decision.problem = Some(Problem::new(reason::BACKEND_CHANGED, "m")),
            &[(kind::STORAGE_READY, "False/BackendChanged"), (kind::READY, "False/BackendChanged")],
        ),
        // operator 27
        (
            "growing",
            |seen| claim(seen)["spec"]["resources"]["requests"]["storage"] = "2Gi".into(),
            &[(kind::VOLUME_RESIZING, "True/Resizing"), (kind::READY, "True/AllReady")],
        ),
        (
            "file system to grow",
            |seen| {
                claim(seen)["spec"]["resources"]["requests"]["storage"] = "2Gi".into();
                claim(seen)["status"]["conditions"] =
                    json!([{"type": "FileSystemResizePending", "status": "True"}]);
            },
            &[(kind::VOLUME_RESIZING, "True/FileSystemResizePending")],
        ),
        // operator 92
        (
            "bad certificate",
            |seen| seen.certificate.problem = Some(Problem::new(reason::KEY_TOO_WEAK, "m")),
            &[
                (kind::CERTIFICATE_READY, "False/KeyTooWeak"),
                (kind::READY, "False/KeyTooWeak"),
                (kind::AVAILABLE, "True/PodsReady"),
            ],
        ),
        (
            "certificate ends soon",
            |seen| seen.certificate.facts.as_mut().unwrap().not_after = NOW + 6 * DAY,
            &[(kind::DEGRADED, "False/AsExpected")],
        ),
        (
            "long certificate ends soon",
            |seen| {
                seen.certificate.facts =
                    Some(Facts { not_before: NOW - 84 * DAY, not_after: NOW + 6 * DAY, ..Facts::default() });
            },
            &[(kind::DEGRADED, "True/CertificateExpiresSoon"), (kind::READY, "True/AllReady")],
        ),
        // operator 94
        (
            "unreadable file",
            |seen| seen.credentials.problem = Some(Problem::new(reason::HTPASSWD_UNREADABLE, "m")),
            &[
                (kind::CREDENTIALS_READY, "False/HtpasswdUnreadable"),
                (kind::READY, "False/HtpasswdUnreadable"),
            ],
        ),
        // operator 95
        (
            "weak lines",
            |seen| seen.credentials.file.as_mut().unwrap().weak = vec![3],
            &[(kind::DEGRADED, "True/WeakPasswordHashes"), (kind::READY, "True/AllReady")],
        ),
        // operator 79: the cache alone never makes a registry not ready
        (
            "no redis",
            |seen| seen.redis = Some(json!({})),
            &[
                (kind::CACHE_READY, "False/Unreachable"),
                (kind::DEGRADED, "False/AsExpected"),
                (kind::READY, "True/AllReady"),
            ],
        ),
        // operator 15
        (
            "stale Deployment",
            |seen| seen.deployment.as_mut().unwrap()["metadata"]["generation"] = 2.into(),
            &[(kind::PROGRESSING, "True/RollingOut"), (kind::AVAILABLE, "Unknown/Reconciling")],
        ),
        (
            "stale Deployment without pods",
            |seen| {
                seen.deployment = Some(
                    json!({"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": {"observedGeneration": 1}}),
                );
            },
            &[(kind::AVAILABLE, "Unknown/Reconciling"), (kind::READY, "False/Reconciling")],
        ),
        (
            "no pod ready",
            |seen| seen.deployment.as_mut().unwrap()["status"]["readyReplicas"] = 0.into(),
            &[(kind::AVAILABLE, "False/NoReadyPods"), (kind::READY, "False/NoReadyPods")],
        ),
        (
            "no Deployment",
            |seen| seen.deployment = None,
            &[(kind::AVAILABLE, "False/NoReadyPods"), (kind::PROGRESSING, "True/Creating")],
        ),
        // operator 89
        (
            "blocked",
            |seen| {
                let deployment = seen.deployment.as_mut().unwrap();
                deployment["status"]["updatedReplicas"] = 0.into();
                deployment["status"]["conditions"] =
                    json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
            },
            &[(kind::PROGRESSING, "False/RolloutBlocked"), (kind::READY, "True/AllReady")],
        ),
        // operator 90
        (
            "restart loop",
            |seen| {
                seen.deployment.as_mut().unwrap()["status"]["readyReplicas"] = 0.into();
                seen.pods = vec![ended(1, "boom", 3)];
            },
            &[(kind::DEGRADED, "True/RestartLoop"), (kind::AVAILABLE, "False/NoReadyPods")],
        ),
        // operator 98, seed D11
        (
            "another store",
            |seen| {
                seen.deployment.as_mut().unwrap()["status"]["readyReplicas"] = 0.into();
                seen.pods = vec![ended(78, "storage.identity: the store is another one", 1)];
            },
            &[(kind::STORAGE_READY, "False/StoreMismatch"), (kind::READY, "False/StoreMismatch")],
        ),
        // operator 98, registry ST3
        (
            "another store under a server that is up",
            |seen| lost(seen, Trouble::Wrong),
            &[(kind::STORAGE_READY, "False/StoreMismatch"), (kind::READY, "False/StoreMismatch")],
        ),
        (
            "a store that does not answer",
            |seen| lost(seen, Trouble::Away),
            &[(kind::STORAGE_READY, "False/StoreUnavailable"), (kind::READY, "False/StoreUnavailable")],
        ),
        (
            "a lost volume under a server that is up",
            |seen| {
                lost(seen, Trouble::Away);
                claim(seen)["status"]["phase"] = "Lost".into();
            },
            &[(kind::STORAGE_READY, "False/ClaimLost")],
        ),
        // operator 99, its last step: no volume grows by itself yet
        (
            "a volume with some room",
            |seen| seen.used = Some("912Mi".into()),
            &[(kind::DEGRADED, "False/AsExpected")],
        ),
        (
            "a volume with little room",
            |seen| seen.used = Some("922Mi".into()),
            &[(kind::DEGRADED, "True/StorageNearlyFull"), (kind::READY, "True/AllReady")],
        ),
    ];
    for (name, change, expected) in cases {
        let mut seen = good();
        change(&mut seen);
        let status = status(SIX_LINES, &seen);
        for (kind, wanted) in *expected {
            assert_eq!(said(&status, kind), *wanted, "{name}: {kind}: {}", message(&status, kind));
        }
    }
}

// guarantee 8: a pod that says nothing for a moment says nothing good
#[test]
fn what_a_store_suffers_from_holds_until_a_pod_says_otherwise() {
    let mut seen = good();
    lost(&mut seen, Trouble::Away);
    let mut object = object("team", SIX_LINES);
    object.status = Some(status(SIX_LINES, &seen));
    let again = |seen: &Observed| compute::compute(&object, &model("team", SIX_LINES), seen, NOW);
    seen.told = None;
    assert_eq!(said(&again(&seen), kind::STORAGE_READY), "False/StoreUnavailable");
    seen.told = Some(Told::default());
    assert_eq!(said(&again(&seen), kind::STORAGE_READY), "True/VolumeBound");
    assert_eq!(said(&again(&good()), kind::STORAGE_READY), "True/VolumeBound");
}

fn lost(seen: &mut Observed, trouble: Trouble) {
    seen.deployment.as_mut().unwrap()["status"]["readyReplicas"] = 0.into();
    seen.told = Some(Told { trouble: Some(trouble), ..Told::default() });
}

fn claim(seen: &mut Observed) -> &mut Value {
    seen.claim.as_mut().unwrap()
}

/// A pod whose server ended with `code` and `words`.
fn ended(code: i64, words: &str, restarts: i64) -> Value {
    json!({"metadata": {"name": "team-registry-x"}, "status": {"containerStatuses": [{"name": "registry", "ready": false,
        "restartCount": restarts, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": code, "message": words}}}]}})
}

// operator 89: the pod's own words
#[test]
fn the_words_of_a_pod_reach_the_user() {
    let mut seen = good();
    seen.deployment.as_mut().unwrap()["status"]["readyReplicas"] = 0.into();
    seen.pods = vec![ended(78, "http.addr: bad", 1)];
    let words = message(&status(SIX_LINES, &seen), kind::AVAILABLE);
    assert!(words.contains("exit code 78") && words.contains("http.addr: bad"), "{words}");
    seen.pods = vec![json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [{"name": "registry",
        "state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}]}})];
    seen.deployment.as_mut().unwrap()["status"]["updatedReplicas"] = 0.into();
    for kind in [kind::AVAILABLE, kind::PROGRESSING] {
        let words = message(&status(SIX_LINES, &seen), kind);
        assert!(words.contains("ErrImagePull: no such image"), "{kind}: {words}");
    }
    seen.pods = vec![json!({"metadata": {"name": "p"}, "status": {"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}]}})];
    for kind in [kind::AVAILABLE, kind::PROGRESSING] {
        let words = message(&status(SIX_LINES, &seen), kind);
        assert!(
            words.contains("pod p has no node: 0/1 nodes are available: 1 Insufficient cpu"),
            "{kind}: {words}"
        );
    }
}

// operator 28
#[test]
fn a_class_that_cannot_grow_is_said_and_the_registry_stays_ready() {
    let mut seen = good();
    seen.classes = Some(vec![Class { name: "slow".into(), ..Class::default() }]);
    let status = status("storage: {filesystem: {size: 2Gi}}", &seen);
    assert_eq!(said(&status, kind::VOLUME_RESIZING), "False/ExpansionNotSupported");
    assert_eq!(said(&status, kind::READY), "True/AllReady");
}

// operator 100: the names that exist
#[test]
fn a_missing_class_is_told_with_those_that_there_are() {
    let mut seen = good();
    claim(&mut seen)["status"] = json!({"phase": "Pending"});
    seen.classes = Some(vec![Class { name: "fast".into(), ..Class::default() }]);
    let told = message(&status(SIX_LINES, &seen), kind::STORAGE_READY);
    assert!(told.contains("\"slow\"") && told.contains("fast"), "{told}");
}

// operator 113
#[test]
fn a_cache_is_a_degradation_after_two_minutes() {
    let mut seen = good();
    seen.redis = Some(json!({}));
    let mut object = object("team", SIX_LINES);
    let at = |object: &PrivateRegistry, now| compute::compute(object, &model("team", SIX_LINES), &seen, now);
    object.status = Some(at(&object, NOW));
    assert_eq!(said(&at(&object, NOW + 119), kind::DEGRADED), "False/AsExpected");
    assert_eq!(said(&at(&object, NOW + 120), kind::DEGRADED), "True/CacheUnavailable");
}

// operator 71
#[test]
fn a_suspended_registry_says_so() {
    let spec = format!("{{suspend: true, {SIX_LINES}}}");
    let mut seen = good();
    seen.deployment = Some(
        json!({"metadata": {"generation": 1}, "spec": {"replicas": 0}, "status": {"observedGeneration": 1}}),
    );
    let status = status(&spec, &seen);
    assert_eq!(said(&status, kind::READY), "False/Suspended");
    assert_eq!(said(&status, kind::PROGRESSING), "False/Suspended");
}

// operator 79: a Redis that is up, and to which the way is cut
#[test]
fn a_redis_that_the_registry_does_not_reach_is_unreachable() {
    for (reached, expected) in
        [(None, "True/Connected"), (Some(true), "True/Connected"), (Some(false), "False/Unreachable")]
    {
        let status =
            status(SIX_LINES, &Observed { told: Some(Told { redis: reached, ..Told::default() }), ..good() });
        assert_eq!(said(&status, kind::CACHE_READY), expected, "{reached:?}");
        assert_eq!(said(&status, kind::READY), "True/AllReady");
    }
}

// operator 103
#[test]
fn an_external_redis_is_judged_by_its_answer() {
    let spec = format!("{{cache: {{redis: {{external: {{addresses: ['r:6379']}}}}}}, {SIX_LINES}}}");
    for (answer, expected) in [
        (None, "Unknown/Reconciling"),
        (Some(Answer::Good), "True/Connected"),
        (Some(Answer::Bad(Problem::new(reason::EVICTION_POLICY_UNSAFE, "m"))), "False/EvictionPolicyUnsafe"),
        (Some(Answer::Bad(Problem::new(reason::AUTHENTICATION_FAILED, "m"))), "False/AuthenticationFailed"),
    ] {
        let status = status(&spec, &Observed { external_redis: answer, ..good() });
        assert_eq!(said(&status, kind::CACHE_READY), expected);
        assert_eq!(said(&status, kind::READY), "True/AllReady");
    }
}

#[test]
fn a_load_balancer_without_an_address_is_waited_for() {
    let spec = format!("{{exposure: {{service: {{type: LoadBalancer}}}}, {SIX_LINES}}}");
    let mut seen = good();
    assert_eq!(said(&status(&spec, &seen), kind::READY), "False/LoadBalancerPending");
    seen.service = json!({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}});
    let status = status(&spec, &seen);
    assert_eq!(said(&status, kind::EXPOSURE_READY), "True/Exposed");
    assert_eq!(status.endpoints[1].url, "https://192.0.2.7");
}

// Who reads a message and who reads `status.url` go to the same place.
#[test]
fn every_word_of_the_address_is_the_same() {
    let spec =
        format!("{{exposure: {{hostnames: [r.example.com], service: {{type: NodePort}}}}, {SIX_LINES}}}");
    let service = json!({"spec": {"type": "NodePort", "ports": [{"port": 443, "nodePort": 30443}]}});
    let status = status(&spec, &Observed { service, ..good() });
    let url = status.url.clone().unwrap();
    assert_eq!(url, "https://r.example.com:30443");
    for kind in [kind::READY, kind::EXPOSURE_READY] {
        assert!(message(&status, kind).ends_with(&url), "{}", message(&status, kind));
    }
}

// operator 15: what a Deployment says of an earlier generation says nothing of this one
#[test]
fn a_stale_deployment_changes_nothing_of_what_was_said() {
    for (ready, stays) in [(1, "True/PodsReady"), (0, "False/NoReadyPods")] {
        let mut object = object("team", SIX_LINES);
        let mut seen = good();
        seen.deployment.as_mut().unwrap()["status"]["readyReplicas"] = ready.into();
        object.status = Some(status(SIX_LINES, &seen));
        seen.deployment.as_mut().unwrap()["metadata"]["generation"] = 2.into();
        seen.deployment.as_mut().unwrap()["status"]["readyReplicas"] = (1 - ready).into();
        let status = compute::compute(&object, &model("team", SIX_LINES), &seen, NOW);
        assert_eq!(said(&status, kind::AVAILABLE), stays);
        assert_eq!(said(&status, kind::PROGRESSING), "True/RollingOut");
    }
}

// crd.md section 5: what is told beside conditions
#[test]
fn facts_of_a_registry_are_told() {
    let mut seen = good();
    let names = vec!["10.96.0.7".to_owned(), "team-registry.tools.svc".to_owned()];
    seen.certificate.facts.as_mut().unwrap().names = names;
    let unusable = [4, 7].map(|line| Unusable { line, reason: "malformed bcrypt hash" }).to_vec();
    let file = Merged { users: 3, weak: vec![1], unusable, ..Merged::default() };
    seen.credentials.file = Some(file);
    let status = serde_json::to_value(status(SIX_LINES, &seen)).unwrap();
    for (field, expected) in [
        ("replicas", json!(1)),
        ("readyReplicas", json!(1)),
        ("endpoints", json!([{"name": "service", "url": "https://team-registry.tools.svc"}])),
        (
            "selector",
            json!(
                "app.kubernetes.io/name=privateregistry,app.kubernetes.io/instance=team,app.kubernetes.io/component=registry"
            ),
        ),
        (
            "caBundle",
            json!({"configMapName": "team-trust", "key": "ca.crt",
                "sha256": "f0aeace912cf19dc1c6fffd41de6e395daeb5462f1221945706bd0674c3005eb"}),
        ),
        (
            "certificate",
            json!({"secretName": "team-tls", "issuer": "selfSigned", "dnsNames": ["team-registry.tools.svc"],
                "ipAddresses": ["10.96.0.7"], "notBefore": "2027-01-15T08:00:00Z", "notAfter": "2027-04-15T08:00:00Z",
                "renewalTime": "2027-03-16T08:00:00Z"}),
        ),
        (
            "accounts",
            json!({"adminSecretName": "team.admin", "pullSecretName": "team-pull", "users": 3, "weakHashes": 1,
                "unusable": 2}),
        ),
        (
            "storage",
            json!({"backend": "filesystem", "location": "team-data", "capacity": "1Gi", "storeID": "1"}),
        ),
    ] {
        assert_eq!(status[field], expected, "{field}");
    }
    assert_eq!(status["versions"]["operator"], env!("CARGO_PKG_VERSION"));
    assert_eq!([&status["versions"]["image"], &status["versions"]["redis"]], ["registry:1", "7"]);
}

// operator 34, operator 87: the rest of the status stays as it was
#[test]
fn an_error_of_the_object_becomes_its_condition() {
    let mut object = object("team", SIX_LINES);
    object.status = Some(status(SIX_LINES, &good()));
    let conflict =
        |kind: &str| PassError::NameConflict { kind: kind.into(), name: "team-data".into(), uid: "7".into() };
    let failed = compute::failed(&object, &conflict("PersistentVolumeClaim"), NOW);
    assert_eq!(said(&failed, kind::STORAGE_READY), "False/ClaimNotOurs");
    assert_eq!(said(&failed, kind::READY), "False/ClaimNotOurs");
    assert!(message(&failed, kind::READY).contains("privateregistry.dev/adopt=7"));
    assert_eq!(said(&failed, kind::AVAILABLE), "True/PodsReady");
    assert_eq!(failed.url, object.status.as_ref().unwrap().url);
    let secret = compute::failed(&object, &conflict("Secret"), NOW);
    assert_eq!(said(&secret, kind::READY), "False/NameConflict");
}

// operator 36, operator 37: the operator looks again when something is due, to the second
#[test]
fn an_idle_registry_is_looked_at_when_something_is_due() {
    use operator::private_registry::status::pace::{Progress, next};
    use std::time::Duration;
    let status = status(SIX_LINES, &good());
    for (due, seconds) in
        [(None, 300), (Some(NOW + 17), 17), (Some(NOW + 1000), 300), (Some(NOW), 1), (Some(NOW - 5), 1)]
    {
        let seen = Observed { certificate: Certificate { due, ..Certificate::default() }, ..good() };
        assert_eq!(next(&status, &seen, NOW), Progress(Duration::from_secs(seconds)), "{due:?}");
    }
    // No watch tells of a Redis of the user's.
    let seen = Observed { external_redis: Some(Answer::Good), ..good() };
    assert_eq!(next(&status, &seen, NOW), Progress(Duration::from_secs(60)));
    // Nor, for certain, that another registry gave a name up.
    let taken = Taken { hostname: "x".into(), by: "other/team".into() };
    let seen = Observed { hostname_taken: Some(taken), ..good() };
    assert_eq!(next(&status, &seen, NOW), Progress(Duration::from_secs(60)));
    // Nor of the way to ours, which is free again soon or not for long.
    let seen = Observed { told: Some(Told { redis: Some(false), ..Told::default() }), ..good() };
    for (later, seconds) in [(0, 5), (100, 10), (3600, 60)] {
        assert_eq!(next(&status, &seen, NOW + later), Progress(Duration::from_secs(seconds)), "{later}");
    }
}

// operator 110
#[test]
fn a_name_that_another_registry_had_first_is_said() {
    let taken = Taken { hostname: "registry.example.com".into(), by: "other/team".into() };
    let status = status(SIX_LINES, &Observed { hostname_taken: Some(taken), ..good() });
    assert_eq!(said(&status, kind::EXPOSURE_READY), "False/HostnameTaken");
    let message = message(&status, kind::EXPOSURE_READY);
    assert!(message.contains("registry.example.com") && message.contains("other/team"), "{message}");
}
