//! The cache: a Redis of the registry's own, one of the user's, memory, or none.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::sample::{SIX_LINES, changed, child, every_child, key, model};

fn configuration(spec: &str) -> String {
    let secret = child(&model("team", spec), "Secret/team-redisauth").unwrap();
    String::from_utf8(STANDARD.decode(secret["data"]["redis.conf"].as_str().unwrap()).unwrap()).unwrap()
}

// operator 101, seed D3
#[test]
fn the_managed_redis_is_bounded_forgetful_and_locked() {
    let text = configuration(SIX_LINES);
    for line in ["maxmemory 268435456", "maxmemory-policy allkeys-lru", "save \"\"", "appendonly no"] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert!(text.contains("user default on >redis password"), "{text}");
    let deployment = child(&model("team", SIX_LINES), "Deployment/team-redis").unwrap();
    assert!(!deployment.to_string().contains("redis password"));
    let policy = child(&model("team", SIX_LINES), "NetworkPolicy/team-redis").unwrap();
    let from = &policy["spec"]["ingress"][0]["from"];
    assert_eq!(from[0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"], "registry");
    assert_eq!(from.as_array().unwrap().len(), 1);
}

// operator 101: never more than three quarters of the limit
#[test]
fn the_kernel_never_ends_the_managed_redis_for_its_memory() {
    let limited = |max: &str, limit: &str| {
        let spec = format!(
            "{{cache: {{redis: {{managed: {{maxMemory: {max}, resources: {{limits: {{memory: {limit}}}}}}}}}}}, {SIX_LINES}}}"
        );
        let line =
            configuration(&spec).lines().find(|line| line.starts_with("maxmemory ")).unwrap().to_owned();
        line.split_once(' ').unwrap().1.parse::<u64>().unwrap()
    };
    assert_eq!(limited("512Mi", "768Mi"), 512 << 20);
    assert_eq!(limited("512Mi", "512Mi"), 384 << 20);
}

// operator 104
#[test]
fn what_belongs_to_redis_comes_and_goes_with_it() {
    let redis =
        ["Deployment/team-redis", "NetworkPolicy/team-redis", "Secret/team-redisauth", "Service/team-redis"];
    let names = |spec: &str| every_child(&model("team", spec)).iter().map(key).collect::<Vec<_>>();
    let with = names(SIX_LINES);
    for cache in ["none: {}", "memory: {maxSize: 32Mi}", "redis: {external: {addresses: ['r:6379']}}"] {
        let without = names(&format!("{{cache: {{{cache}}}, {SIX_LINES}}}"));
        for child in redis {
            assert!(
                with.contains(&child.to_owned()) && !without.contains(&child.to_owned()),
                "{child} with {cache}"
            );
        }
    }
}

fn boot(spec: &str) -> Value {
    let all = every_child(&model("team", spec));
    let map = all.iter().find(|child| key(child).starts_with("ConfigMap/team-config-")).unwrap();
    serde_saphyr::from_str(map["data"]["config.yml"].as_str().unwrap()).unwrap()
}

#[test]
fn the_server_is_told_where_its_cache_is() {
    let managed = boot(SIX_LINES);
    assert_eq!(managed["redis"]["addrs"], json!(["team-redis.tools.svc:6379"]));
    assert_eq!(managed["redis"]["passwordfile"], "/etc/registry/redis/password");
    let memory = boot(&format!("{{cache: {{memory: {{maxSize: 32Mi}}}}, {SIX_LINES}}}"));
    assert_eq!(memory["storage"]["cache"]["maxsize"], 32 << 20);
    assert_eq!(boot(&format!("{{cache: {{none: {{}}}}, {SIX_LINES}}}"))["storage"]["cache"], Value::Null);
    let external = boot(&format!(
        "{{cache: {{redis: {{external: {{addresses: ['r:1'], database: 3, credentialsSecretRef: {{name: c}},
           tls: {{caBundleRef: {{name: ca}}, clientSecretRef: {{name: cl}}}}}}}}}}, {SIX_LINES}}}"
    ));
    assert_eq!(external["redis"]["addrs"], json!(["r:1"]));
    assert_eq!(external["redis"]["db"], 3);
    assert_eq!(external["redis"]["usernamefile"], "/etc/registry/redis/username");
    assert_eq!(external["redis"]["tls"]["clientcas"], json!(["/etc/registry/redis-ca/ca.crt"]));
    assert_eq!(external["redis"]["tls"]["certificate"], "/etc/registry/redis-client/tls.crt");
}

// operator 102: the password is re-read by the server, and restarts Redis alone
#[test]
fn a_larger_redis_rolls_redis_alone() {
    let larger = format!("{{cache: {{redis: {{managed: {{maxMemory: 512Mi}}}}}}, {SIX_LINES}}}");
    let changed = changed(&model("team", SIX_LINES), &model("team", &larger));
    assert_eq!(changed, ["Deployment/team-redis", "Secret/team-redisauth"]);
}
