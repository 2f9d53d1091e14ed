//! Inputs that are missing, come back, change, or must not be seen.

use base64::{Engine, engine::general_purpose::STANDARD};
use operator::private_registry::certificates::{inspect::Pair, issue};
use serde_json::{Value, json};

use crate::world::{OBJECT, SIX_LINES, World};

fn told(world: &World, reason: &str) -> usize {
    world.api.events().iter().filter(|event| event.starts_with(reason)).count()
}

/// A key and a certificate of the user's.
pub fn own_pair(world: &World) -> Pair {
    let authority = issue::authority("own", world.now, 100_000_000).unwrap();
    issue::leaf(&authority, &["team-registry.tools.svc".to_owned()], world.now, 50_000_000).unwrap()
}

/// A Secret of the user's.
pub fn put_secret(world: &World, name: &str, data: &[(&str, &str)]) {
    let data: Value =
        data.iter().map(|(key, value)| ((*key).to_owned(), Value::from(STANDARD.encode(value)))).collect();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "tools"}, "data": data});
    world.api.put(&format!("/api/v1/namespaces/tools/secrets/{name}"), secret);
}

// operator 13: said once, nothing else is touched, and taken up when it comes
#[tokio::test]
async fn a_secret_that_is_missing_is_said_once_and_taken_up_when_it_comes() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let deployment = "/apis/apps/v1/namespaces/tools/deployments/team-registry";
    let before = world.api.objects()[deployment]["spec"].clone();
    world.set_spec("tls", json!({"secretRef": {"name": "own"}}));
    for _ in 0..5 {
        world.pass().await.unwrap();
    }
    assert_eq!(world.condition("CertificateReady"), "False/SecretNotFound");
    assert!(world.message("CertificateReady").contains("own"), "{}", world.message("CertificateReady"));
    assert_eq!((told(&world, "SecretNotFound"), &world.api.objects()[deployment]["spec"]), (1, &before));
    let pair = own_pair(&world);
    put_secret(&world, "own", &[("tls.crt", &pair.certificate), ("tls.key", &pair.key)]);
    world.settle().await;
    assert_eq!(world.condition("CertificateReady"), "True/Provided");
    assert_eq!(world.secret("team-tls", "tls.key"), pair.key);
}

// guarantee 7: a certificate of the user's, and back
#[tokio::test]
async fn a_certificate_of_ones_own_leaves_nothing_behind() {
    let mut world = World::new(SIX_LINES);
    let pair = own_pair(&world);
    put_secret(&world, "own", &[("tls.crt", &pair.certificate), ("tls.key", &pair.key), ("ca.crt", "none")]);
    world.settle().await;
    let shape = |world: &World| {
        let mut all = world.api.objects();
        for object in all.values_mut() {
            object["metadata"] = json!({"labels": object["metadata"]["labels"]});
        }
        let served = all.get_mut("/api/v1/namespaces/tools/secrets/team-tls").unwrap();
        served["data"] = json!(served["data"].as_object().unwrap().keys().collect::<Vec<_>>());
        all.remove(OBJECT);
        all
    };
    let before = shape(&world);
    world.set_spec("tls", json!({"secretRef": {"name": "own"}}));
    world.settle().await;
    assert_eq!(world.secret("team-tls", "tls.key"), pair.key);
    world.set_spec("tls", Value::Null);
    world.settle().await;
    assert_eq!(world.condition("CertificateReady"), "True/Issued");
    assert_ne!(world.secret("team-tls", "tls.key"), pair.key);
    for (path, object) in shape(&world) {
        assert_eq!(before.get(&path), Some(&object), "{path}");
    }
}

// operator 98: a claim that was deleted, and one that somebody made in its place
#[tokio::test]
async fn pods_stay_where_they_are_when_their_claim_is_another() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let claim = "/api/v1/namespaces/tools/persistentvolumeclaims/team-data";
    let deployment = "/apis/apps/v1/namespaces/tools/deployments/team-registry";
    let (before, old) = (world.api.objects()[deployment]["spec"].clone(), world.api.objects()[claim].clone());
    world.api.remove("persistentvolumeclaims/team-data");
    world.settle().await;
    assert_eq!(world.condition("StorageReady"), "False/ClaimLost");
    assert!(!world.api.objects().contains_key(claim), "an empty one took its place");
    assert_eq!(world.api.objects()[deployment]["spec"], before);

    let mut other = old;
    other["metadata"]["uid"] = "of-another".into();
    world.api.keep(claim, other);
    world.settle().await;
    assert_eq!(world.condition("StorageReady"), "False/ClaimLost");
    assert!(world.message("StorageReady").contains("accept-empty-store=of-another"));
    assert_eq!(world.api.objects()[deployment]["spec"], before);
    world.annotate("privateregistry.dev/accept-empty-store", "of-another");
    world.settle().await;
    assert_eq!(world.condition("StorageReady"), "True/VolumeBound");
    assert_eq!(world.api.objects()[OBJECT]["status"]["storage"]["storeID"], "of-another");
}

// operator 113: a short absence is no degradation, a long one turns it once
#[tokio::test]
async fn what_is_away_for_long_degrades_once() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let redis = "deployments/team-redis";
    world.api.change(redis, |redis| redis["status"]["readyReplicas"] = 0.into());
    for (later, degraded) in [(0, "False"), (90, "False"), (29, "False"), (1, "True"), (180, "True")] {
        world.now += later;
        world.pass().await.unwrap();
        world.pass().await.unwrap();
        assert!(
            world.condition("Degraded").starts_with(degraded),
            "{later}: {}",
            world.condition("Degraded")
        );
        assert_eq!(world.condition("Ready"), "True/AllReady");
    }
    assert_eq!(told(&world, "CacheUnavailable"), 1, "{:?}", world.api.events());
}

// operator 22: one update of several fields is one write to the Deployment
#[tokio::test]
async fn one_update_is_one_write() {
    let world = World::new("{storage: {filesystem: {size: 1Gi, accessMode: ReadWriteMany}}}");
    world.settle().await;
    let before = world.api.writes().len();
    world.api.change(OBJECT, |object| {
        object["spec"]["replicas"] = 2.into();
        object["spec"]["image"] = json!({"reference": "other:1"});
        object["spec"]["pod"] = json!({"affinity": {"podAntiAffinity": {}}});
        object["metadata"]["generation"] = 2.into();
    });
    world.settle().await;
    let writes = world.api.writes();
    let count = writes[before..].iter().filter(|write| write.ends_with("deployments/team-registry")).count();
    assert_eq!(count, 1, "{writes:?}");
}

// operator 95, operator 121: what users keep in Secrets is counted, and seen nowhere else
#[tokio::test]
async fn nothing_of_a_secret_of_the_users_is_seen_elsewhere() {
    let world = World::new(
        "{storage: {ephemeral: {}}, tls: {secretRef: {name: own}}, auth: {htpasswd: {users: [{name: dev,
          passwordSecretRef: {name: dev}}], secretRef: {name: file}}}, cache: {redis: {external: {mode: Sentinel,
          addresses: ['127.0.0.1:1'], sentinelMaster: main, credentialsSecretRef: {name: cache},
          sentinelCredentialsSecretRef: {name: sentinel}, tls: {caBundleRef: {name: ca}, clientSecretRef: {name: client}}}}}}",
    );
    let weak = "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\nbob:rqXexS6ZhobKA\n";
    let pair = own_pair(&world);
    let key = pair.key.lines().nth(1).unwrap();
    put_secret(&world, "own", &[("tls.crt", &pair.certificate), ("tls.key", &pair.key)]);
    put_secret(&world, "dev", &[("password", "canary-of-dev")]);
    put_secret(&world, "file", &[("htpasswd", weak)]);
    put_secret(&world, "cache", &[("password", "canary-of-cache")]);
    put_secret(&world, "sentinel", &[("password", "canary-of-sentinel")]);
    put_secret(&world, "client", &[("tls.crt", "canary-of-client"), ("tls.key", "canary-of-client")]);
    world.settle().await;
    let accounts = world.api.objects()[OBJECT]["status"]["accounts"].clone();
    assert_eq!((&accounts["weakHashes"], &accounts["unusable"]), (&json!(1), &json!(1)));
    assert_eq!(world.condition("Degraded"), "True/WeakPasswordHashes");
    let pull: Value = serde_json::from_str(&world.secret("team-pull", ".dockerconfigjson")).unwrap();
    let pull =
        pull["auths"].as_object().unwrap().values().next().unwrap()["password"].as_str().unwrap().to_owned();
    let canaries = ["canary-of-", key, "W6ph5Mm5Pz8", "rqXexS6ZhobKA", "ann", "bob:", &pull];
    let objects = world.api.objects();
    let open =
        objects.iter().filter(|(path, _)| !path.contains("/secrets/")).map(|(_, object)| object.to_string());
    for text in open.chain(world.api.events()) {
        for canary in canaries {
            let word = |found: usize| {
                let around = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
                let bytes = text.as_bytes();
                around(found.checked_sub(1).and_then(|at| bytes.get(at)))
                    || around(bytes.get(found + canary.len()))
            };
            let seen = text.match_indices(canary).any(|(found, _)| canary.len() > 4 || !word(found));
            assert!(!seen, "{canary} in {text}");
        }
    }
}

// operator 95: each line has its reason, in the registry's words, and nothing of the line itself
#[tokio::test]
async fn lines_that_nobody_can_log_in_with_are_told_with_their_reasons() {
    let mut world = World::new("{storage: {ephemeral: {}}, auth: {htpasswd: {secretRef: {name: file}}}}");
    let text =
        "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\nbob:rqXexS6ZhobKA\n\ncid:canary\ndee:$2y$05$canary\neve:\n";
    let refused = "line 2 (DES crypt is not accepted), lines 4, 6 (plain text or unknown hash), \
                   line 5 (malformed bcrypt hash) of the password file: make them anew with htpasswd -B";
    put_secret(&world, "file", &[("htpasswd", text)]);
    world.settle().await;
    assert_eq!(world.condition("CredentialsReady"), "True/AccountsReady");
    let counted = |users: usize| format!("{users} accounts can log in, one of them for pulls only");
    let said = format!("{}; nobody can with {refused}", counted(2));
    assert_eq!(world.message("CredentialsReady"), said);
    world.set_spec("auth", json!({"htpasswd": {"secretRef": {"name": "file"}, "minimumHash": "Bcrypt"}}));
    world.settle().await;
    let floor = "line 1 (weaker than auth.htpasswd.minimumHash)";
    let said = format!("{}; nobody can with {floor}, {refused}", counted(1));
    assert_eq!(world.message("CredentialsReady"), said);
    assert_eq!(world.api.objects()[OBJECT]["status"]["accounts"]["unusable"], 5);
    put_secret(&world, "file", &[("htpasswd", &"bob:rqXexS6ZhobKA\n".repeat(5000))]);
    world.settle().await;
    let message = world.message("CredentialsReady");
    assert!(message.contains("9, 10 (DES crypt is not accepted) and more of the password file"), "{message}");
}
