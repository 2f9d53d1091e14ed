//! Section 11, what metrics say about a real Redis server. They are a process's, so each registry here has its own.
//! Machines without a Redis server skip these.

use std::{
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{
    ports,
    running::{Running, eventually},
};

/// A server that ends with the test.
struct RedisServer(Child);

impl RedisServer {
    /// Starts one that listens at the port; nothing when the machine has no such program.
    fn start(port: u16, arguments: &[&str]) -> Option<Self> {
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--save", ""]).args(arguments).stdout(Stdio::null());
        let Ok(child) = command.spawn() else {
            assert!(std::env::var_os("REDIS_REQUIRED").is_none(), "no redis-server on this machine");
            eprintln!("skipped: no redis-server on this machine");
            return None;
        };
        let server = Self(child);
        eventually(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(server)
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").args([name, &self.0.id().to_string()]).status();
        assert!(done.unwrap().success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A registry that keeps what it knows at the port's Redis server, with one manifest.
fn registry(folder: &Path, port: u16, more: &str) -> Running {
    let storage = "storage: {inmemory: , cache: {blobdescriptor: redis}}";
    let text = format!("{storage}\nredis: {{addrs: ['127.0.0.1:{port}']{more}}}\n");
    std::fs::write(folder.join("c.yml"), text).unwrap();
    let running = Running::start(folder, &["c.yml"]);
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let put = "PUT /v2/n/manifests/t HTTP/1.1\ncontent-type: application/vnd.oci.image.index.v1+json";
    assert!(running.ask(&format!("{put}\n\n{index}")).starts_with("HTTP/1.1 201"));
    running
}

fn pull(registry: &Running) {
    assert!(registry.ask("GET /v2/n/manifests/t HTTP/1.1").starts_with("HTTP/1.1 200"));
}

// registry RC3
#[test]
fn a_metric_says_whether_redis_answers() {
    let (port, folder) = (ports::free(), tempfile::tempdir().unwrap());
    let start = || RedisServer::start(port, &["--requirepass", "right"]);
    let Some(redis) = start() else { return };
    let file = folder.path().join("password");
    std::fs::write(&file, "wrong").unwrap();
    let registry = registry(folder.path(), port, &format!(", passwordfile: '{}'", file.display()));
    // Pulls are answered all the time, whatever it says.
    let says = |up: f64| {
        eventually(|| {
            pull(&registry);
            registry.metric("redis_up") == Some(up)
        });
    };
    says(0.0);
    std::fs::write(&file, "right").unwrap();
    says(1.0);
    redis.signal("-STOP");
    says(0.0);
    redis.signal("-CONT");
    says(1.0);
    drop(redis);
    says(0.0);
    let _redis = start().unwrap();
    says(1.0);
}

// registry RC10
#[test]
fn a_redis_that_takes_no_values_is_counted_and_is_not_a_dead_one() {
    for (arguments, refuses) in [
        (&["--maxmemory", "1", "--maxmemory-policy", "noeviction"][..], true),
        (&["--replicaof", "127.0.0.1", "1"], true),
        (&[], false),
    ] {
        let (port, folder) = (ports::free(), tempfile::tempdir().unwrap());
        let Some(_redis) = RedisServer::start(port, arguments) else { return };
        let registry = registry(folder.path(), port, "");
        eventually(|| registry.metric("redis_up") == Some(1.0));
        let refused = || registry.metric("redis_writes_refused_total").unwrap_or_default();
        let before = refused();
        // Each pull asks and is answered: nothing is paused.
        for _ in 0..10 {
            pull(&registry);
        }
        if refuses {
            eventually(|| refused() - before >= 10.0);
        }
        assert_eq!(refused() > 0.0, refuses, "{arguments:?}");
        assert_eq!(registry.metric("redis_up"), Some(1.0), "{arguments:?}");
    }
}
