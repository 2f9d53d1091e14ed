//! A Redis of the user's: its login is copied and kept, and it is asked in the way that its servers belong together.

use std::{sync::Arc, time::SystemTime};

use operator::private_registry::certificates::{inspect::Pair, issue};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::world::World;

/// Answers in Redis' protocol: the first of `replies` whose words begin a command, `+OK` to any other.
async fn server(replies: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, replies));
        }
    });
    address
}

/// The same behind TLS, with this pair.
async fn tls_server(replies: &'static [(&'static str, &'static str)], pair: &Pair) -> String {
    let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(converse(stream, replies));
            }
        }
    });
    address
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, replies: &[(&str, &str)]) {
    let mut buffer = vec![0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        // A client may send several commands at once: each begins with the number of its words.
        for command in text.split('*').skip(1) {
            let words: Vec<&str> = command.lines().skip(1).filter(|line| !line.starts_with('$')).collect();
            let spoken = words.join(" ");
            let reply = replies
                .iter()
                .find(|(words, _)| spoken.starts_with(words))
                .map_or("+OK\r\n", |found| found.1);
            if stream.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

const GOOD: (&str, &str) =
    ("CONFIG GET maxmemory-policy", "*2\r\n$16\r\nmaxmemory-policy\r\n$11\r\nallkeys-lru\r\n");
const FULL: (&str, &str) =
    ("CONFIG GET maxmemory-policy", "*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n");
const PING: (&str, &str) = ("PING", "+PONG\r\n");
const WHOLE: (&str, &str) = ("CLUSTER INFO", "$18\r\ncluster_state:ok\r\n\r\n");
const BROKEN: (&str, &str) = ("CLUSTER INFO", "$20\r\ncluster_state:fail\r\n\r\n");
const LOCKED: (&str, &str) = ("CONFIG", "-NOAUTH Authentication required.\r\n");

async fn judged(external: &str) -> (String, String) {
    let world =
        World::new(&format!("{{storage: {{ephemeral: {{}}}}, cache: {{redis: {{external: {external}}}}}}}"));
    world.settle().await;
    assert_eq!(world.condition("Ready"), "True/AllReady");
    (world.condition("CacheReady"), world.message("CacheReady"))
}

// operator 103
#[tokio::test]
async fn one_server_is_asked_for_its_policy() {
    let good = server(&[PING, GOOD]).await;
    assert_eq!(judged(&format!("{{addresses: ['{good}']}}")).await.0, "True/Connected");
    let full = server(&[PING, FULL]).await;
    assert_eq!(judged(&format!("{{addresses: ['{full}']}}")).await.0, "False/EvictionPolicyUnsafe");
    let locked = server(&[("PING", LOCKED.1), LOCKED]).await;
    let (state, said) = judged(&format!("{{addresses: ['{locked}']}}")).await;
    assert_eq!(state, "False/AuthenticationFailed");
    assert!(said.contains("external.credentialsSecretRef"), "{said}");
}

// registry RC13: the master is asked for at any Sentinel that answers, and judged itself
#[tokio::test]
async fn sentinels_are_asked_for_the_master() {
    let master = server(&[PING, GOOD]).await;
    let port = master.rsplit_once(':').unwrap().1;
    let reply = format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len());
    let replies =
        vec![("SENTINEL get-master-addr-by-name main", reply.leak() as &str), ("SENTINEL", "*-1\r\n")];
    let sentinel = server(replies.leak()).await;
    let external = |name: &str| {
        format!("{{mode: Sentinel, addresses: ['127.0.0.1:1', '{sentinel}'], sentinelMaster: {name}}}")
    };
    assert_eq!(judged(&external("main")).await.0, "True/Connected");
    let (state, said) = judged(&external("other")).await;
    assert_eq!(state, "False/Unreachable");
    assert!(said.contains("no master called other") && said.contains("sentinelMaster"), "{said}");

    let locked = server(&[("SENTINEL", LOCKED.1)]).await;
    let (state, said) =
        judged(&format!("{{mode: Sentinel, addresses: ['{locked}'], sentinelMaster: main}}")).await;
    assert_eq!(state, "False/AuthenticationFailed");
    assert!(said.contains("external.sentinelCredentialsSecretRef"), "{said}");
}

// registry RC13
#[tokio::test]
async fn a_cluster_is_asked_whether_it_is_whole() {
    let whole = server(&[PING, GOOD, WHOLE]).await;
    let external = |node: &str| format!("{{mode: Cluster, addresses: ['127.0.0.1:1', '{node}']}}");
    assert_eq!(judged(&external(&whole)).await.0, "True/Connected");
    let broken = server(&[PING, GOOD, BROKEN]).await;
    let (state, said) = judged(&external(&broken)).await;
    assert_eq!(state, "False/Unreachable");
    assert!(said.contains("CLUSTER INFO"), "{said}");
}

// A cache never keeps a registry from starting: the login of a Redis of one's own may come later, and may go.
#[tokio::test]
async fn the_logins_of_a_redis_of_ones_own_are_copied_and_kept() {
    let world = World::new(
        "{storage: {ephemeral: {}}, cache: {redis: {external: {mode: Sentinel, addresses: ['127.0.0.1:1'],
          sentinelMaster: main, credentialsSecretRef: {name: mine}, sentinelCredentialsSecretRef: {name: watch}}}}}",
    );
    world.settle().await;
    assert_eq!(world.condition("CacheReady"), "False/Unreachable");
    assert_eq!(world.condition("Ready"), "True/AllReady");
    assert_eq!(world.secret("team-redisauth", "username"), "default");
    for (name, password) in [("mine", "c2VjcmV0Cg=="), ("watch", "d2F0Y2g=")] {
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": "tools"}, "data": {"password": password}});
        world.api.put(&format!("/api/v1/namespaces/tools/secrets/{name}"), secret);
    }
    world.settle().await;
    let copied = || {
        assert_eq!(world.secret("team-redisauth", "password"), "secret");
        assert_eq!(world.secret("team-redisauth", "sentinel-password"), "watch");
    };
    copied();
    // A Secret that lost its password is as good as none.
    world.api.change("secrets/mine", |secret| secret["data"] = json!({"username": "Ym9i"}));
    world.settle().await;
    copied();
    world.api.remove("secrets/mine");
    world.api.remove("secrets/watch");
    world.settle().await;
    copied();
}

// The login at a Redis of one's own is no password for ours.
#[tokio::test]
async fn a_managed_redis_has_a_password_of_its_own() {
    let mut world = World::new("{storage: {ephemeral: {}}}");
    world.settle().await;
    let external = json!({"redis": {"external": {"addresses": ["127.0.0.1:1"], "credentialsSecretRef": {"name": "absent"}}}});
    world.set_spec("cache", external);
    world.settle().await;
    assert_eq!(world.secret("team-redisauth", "password"), "not-given-yet");
    world.set_spec("cache", serde_json::Value::Null);
    world.settle().await;
    let password = world.secret("team-redisauth", "password");
    assert!(password != "not-given-yet" && password.len() > 20, "{password}");
    assert!(!world.secret("team-redisauth", "redis.conf").contains("not-given-yet"));
}

// operator 103: what the object names and nobody has made, and a server that does not speak TLS
#[tokio::test]
async fn a_redis_behind_tls_needs_its_ca() {
    let plain = server(&[PING, GOOD]).await;
    let world = World::new(&format!(
        "{{storage: {{ephemeral: {{}}}}, cache: {{redis: {{external: {{addresses: ['{plain}'], tls: {{caBundleRef: {{name: redis-ca}}}}}}}}}}}}"
    ));
    world.settle().await;
    assert_eq!(world.condition("CacheReady"), "False/Unreachable");
    let said = world.message("CacheReady");
    assert!(
        said.contains("caBundleRef") && said.contains("ConfigMap redis-ca") && said.contains("make it"),
        "{said}"
    );
    assert_eq!(world.condition("Ready"), "True/AllReady");

    let ca = operator::private_registry::certificates::issue::authority("redis", world.now, 100_000).unwrap();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "redis-ca", "namespace": "tools"},
        "data": {"ca.crt": ca.certificate}});
    world.api.put("/api/v1/namespaces/tools/configmaps/redis-ca", map);
    world.settle().await;
    assert_eq!(world.condition("CacheReady"), "False/Unreachable");
    assert!(!world.message("CacheReady").contains("caBundleRef"), "{}", world.message("CacheReady"));
    assert_eq!(world.condition("Ready"), "True/AllReady");
}

// operator 103: a server whose certificate comes from somebody else, and the same one once its CA is known
#[tokio::test]
async fn a_redis_of_an_unknown_ca_is_said_so() {
    // Certificates are judged by the real clock.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    let own = issue::authority("redis", now, 100_000).unwrap();
    let other = issue::authority("another", now, 100_000).unwrap();
    let pair = issue::leaf(&own, &["127.0.0.1".to_owned()], now, 50_000).unwrap();
    let server = tls_server(&[PING, GOOD], &pair).await;
    let world = World::new(&format!(
        "{{storage: {{ephemeral: {{}}}}, cache: {{redis: {{external: {{addresses: ['{server}'], tls: {{caBundleRef: {{name: redis-ca}}}}}}}}}}}}"
    ));
    let trust = |authority: &Pair| {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "redis-ca", "namespace": "tools"},
            "data": {"ca.crt": authority.certificate}});
        world.api.put("/api/v1/namespaces/tools/configmaps/redis-ca", map);
    };
    trust(&other);
    world.settle().await;
    assert_eq!(world.condition("CacheReady"), "False/Unreachable");
    let said = world.message("CacheReady");
    assert!(
        said.contains(&server) && said.contains("certificate") && said.contains("UnknownIssuer"),
        "{said}"
    );
    assert_eq!(world.condition("Ready"), "True/AllReady");

    trust(&own);
    world.settle().await;
    assert_eq!(world.condition("CacheReady"), "True/Connected", "{}", world.message("CacheReady"));
}
