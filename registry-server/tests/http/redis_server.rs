//! Section 11 with a real Redis server: what clients get. What metrics say is tested with the program, whose process
//! is its own. Machines without a Redis server skip these.

use std::process::{Child, Command, Stdio};

use crate::{
    cached::push_pull_delete,
    fixture::{Fixture, eventually},
    ports,
};

/// A server that ends with the test.
pub struct RedisServer {
    pub child: Child,
    pub port: u16,
}

impl RedisServer {
    /// Starts one that listens at the port; nothing when the machine has no such program.
    pub async fn start(port: u16, arguments: &[&str]) -> Option<Self> {
        let mut command = Command::new("redis-server");
        command.args(arguments).args(["--save", ""]).stdout(Stdio::null());
        let Ok(child) = command.spawn() else {
            assert!(std::env::var_os("REDIS_REQUIRED").is_none(), "no redis-server on this machine");
            eprintln!("skipped: no redis-server on this machine");
            return None;
        };
        let server = Self { child, port };
        eventually(async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
        Some(server)
    }

    async fn plain(port: u16, password: &str) -> Option<Self> {
        Self::start(port, &["--port", &port.to_string(), "--requirepass", password]).await
    }

    /// How many values are there, each with our prefix and an expiry.
    async fn values(&self, password: &str) -> usize {
        let url = format!("redis://:{password}@127.0.0.1:{}/", self.port);
        count(redis::Client::open(url).unwrap()).await
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn count(client: redis::Client) -> usize {
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    for key in &keys {
        // The prefix, the store, the kind, and a digest: nothing about uploads or whatever else changes.
        let parts: Vec<&str> = key.split(':').collect();
        assert!(matches!(parts[..], ["registry", "1", _, "size" | "manifest", "sha256", _]), "{key}");
        let expiry: i64 = redis::cmd("TTL").arg(key).query_async(&mut connection).await.unwrap();
        assert!(expiry > 0, "{key}");
    }
    keys.len()
}

pub async fn registry(redis: &str) -> Fixture {
    let storage = "storage: {delete: {enabled: true}, cache: {blobdescriptor: redis}}";
    Fixture::with(&format!("{storage}\nredis: {{{redis}}}")).await
}

/// Reads a manifest until the server has it.
pub async fn is_cached(registry: &Fixture, values: impl AsyncFn() -> usize) {
    eventually(async || {
        assert_eq!(registry.status("GET", "/v2/n/manifests/kept").await, 200);
        values().await > 0
    })
    .await;
}

// registry RC1 RC3 RC5 RC11
#[tokio::test]
async fn a_redis_that_comes_and_goes_changes_no_answer() {
    let port = ports::free();
    let Some(redis) = RedisServer::plain(port, "first").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "first\n").unwrap();
    let registry =
        registry(&format!("addrs: ['127.0.0.1:{port}'], passwordfile: '{}'", file.display())).await;
    push_pull_delete(&registry).await;
    registry.push_image("n", "kept").await;
    is_cached(&registry, async || redis.values("first").await).await;
    drop(redis);
    push_pull_delete(&registry).await;
    std::fs::write(&file, "second\n").unwrap();
    let redis = RedisServer::plain(port, "second").await.unwrap();
    is_cached(&registry, async || redis.values("second").await).await;
}

// registry RC11: `redis.db`
#[tokio::test]
async fn values_are_kept_in_the_database_that_is_asked_for() {
    let port = ports::free();
    let Some(_redis) = RedisServer::start(port, &["--port", &port.to_string()]).await else { return };
    let values = async |database: u8| {
        count(redis::Client::open(format!("redis://127.0.0.1:{port}/{database}")).unwrap()).await
    };
    let registry = registry(&format!("addrs: ['127.0.0.1:{port}'], db: 7")).await;
    registry.push_image("n", "kept").await;
    is_cached(&registry, async || values(7).await).await;
    assert_eq!(values(0).await, 0);
}

// registry RC4
#[tokio::test]
async fn a_stopped_redis_costs_a_time_out_and_not_one_each_time() {
    let port = ports::free();
    let Some(redis) = RedisServer::plain(port, "secret-canary").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "secret-canary").unwrap();
    let registry =
        registry(&format!("addrs: ['127.0.0.1:{port}'], passwordfile: '{}'", file.display())).await;
    registry.push_image("n", "kept").await;
    is_cached(&registry, async || redis.values("secret-canary").await).await;
    let signal = |name: &str| {
        let done = Command::new("kill").args([name, &redis.child.id().to_string()]).status();
        assert!(done.unwrap().success());
    };
    signal("-STOP");
    let began = std::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(registry.status("GET", "/v2/n/manifests/kept").await, 200);
    }
    // One time-out a request would be more than twenty seconds.
    assert!(began.elapsed() < std::time::Duration::from_secs(15), "{:?}", began.elapsed());
    signal("-CONT");
    is_cached(&registry, async || redis.values("secret-canary").await).await;
}

// registry RC10
#[tokio::test]
async fn a_full_redis_changes_no_answer() {
    for policy in ["noeviction", "allkeys-lru"] {
        let port = ports::free();
        let arguments = ["--port", &port.to_string(), "--maxmemory", "2mb", "--maxmemory-policy", policy];
        let Some(_redis) = RedisServer::start(port, &arguments).await else { return };
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}/")).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        for i in 0..400 {
            let value = "x".repeat(10_000);
            let _: Result<(), _> = redis::cmd("SET").arg(i).arg(value).query_async(&mut connection).await;
        }
        let registry = registry(&format!("addrs: ['127.0.0.1:{port}']")).await;
        push_pull_delete(&registry).await;
    }
}
