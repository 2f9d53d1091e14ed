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
    let hash = "f5181508"; // of "redis password", SHA-256
    assert!(text.contains(&format!("user default on #{hash}")) && !text.contains("redis password"), "{text}");
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

// registry RC13: the server's settings for Sentinels and clusters; logins are files
#[test]
fn sentinels_and_clusters_reach_the_server() {
    let spec = format!(
        "{{cache: {{redis: {{external: {{mode: Sentinel, addresses: ['s:26379', 't:26379'], sentinelMaster: main,
           credentialsSecretRef: {{name: c}}, sentinelCredentialsSecretRef: {{name: s}}}}}}}}, {SIX_LINES}}}"
    );
    let redis = &boot(&spec)["redis"];
    assert_eq!(redis["addrs"], json!(["s:26379", "t:26379"]));
    assert_eq!(redis["mastername"], "main");
    assert_eq!(redis["sentinelusernamefile"], "/etc/registry/redis/sentinel-username");
    assert_eq!(redis["sentinelpasswordfile"], "/etc/registry/redis/sentinel-password");
    let pods = child(&model("team", &spec), "Deployment/team-registry").unwrap();
    let volumes = pods["spec"]["template"]["spec"]["volumes"].as_array().unwrap().clone();
    let login = volumes.iter().find(|volume| volume["name"] == "redis").unwrap();
    let files: Vec<&str> = login["secret"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["path"].as_str().unwrap())
        .collect();
    assert_eq!(files, ["username", "password", "sentinel-username", "sentinel-password"]);
    assert!(!pods.to_string().contains("sentinel password"));

    let cluster = boot(&format!(
        "{{cache: {{redis: {{external: {{mode: Cluster, addresses: ['a:6379', 'b:6379']}}}}}}, {SIX_LINES}}}"
    ));
    assert_eq!(cluster["redis"]["addrs"], json!(["a:6379", "b:6379"]));
    assert_eq!(
        (&cluster["redis"]["mastername"], &cluster["redis"]["passwordfile"]),
        (&Value::Null, &Value::Null)
    );
}

// operator 102: the password is re-read by the server, and restarts Redis alone
#[test]
fn a_larger_redis_rolls_redis_alone() {
    let larger = format!("{{cache: {{redis: {{managed: {{maxMemory: 512Mi}}}}}}, {SIX_LINES}}}");
    let changed = changed(&model("team", SIX_LINES), &model("team", &larger));
    assert_eq!(changed, ["Deployment/team-redis", "Secret/team-redisauth"]);
}
