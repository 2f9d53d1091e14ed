//! Section 11 with real Redis servers that have accounts and TLS: one, a master that Sentinels know, and a cluster.
//! Machines without Redis skip these.

use std::{path::Path, time::Duration};

use redis::{FromRedisValue, aio::MultiplexedConnection};
use tempfile::TempDir;

use crate::{
    authority::Authority,
    cached::push_pull_delete,
    fixture::{Fixture, eventually},
    ports,
    redis_server::{RedisServer, is_cached, registry},
};

const ACCOUNT: &str = "user default off\nuser registry on >secret-canary ~* &* +@all\n";

/// A folder with the files of every login here.
fn folder(authority: &Authority) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    authority.server(folder.path());
    for (name, text) in [
        ("ca", authority.pem().as_str()),
        ("user", "registry\n"),
        ("password", "secret-canary\n"),
        ("watcher", "watcher\n"),
        ("watchword", "watchword\n"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// How servers of a group speak to their clients and to each other.
#[derive(Clone, Copy)]
struct Transport {
    tls: bool,
}

impl Transport {
    fn lines(self, port: u16, at: &Path) -> String {
        let at = at.display();
        match self.tls {
            false => format!("port {port}\n"),
            true => format!(
                "port 0\ntls-port {port}\ntls-cert-file {at}/crt\ntls-key-file {at}/key\n\
                 tls-ca-cert-file {at}/ca\ntls-replication yes\ntls-cluster yes\n"
            ),
        }
    }

    /// What the registry's configuration says of it.
    fn section(self, at: &Path) -> String {
        let at = at.display();
        match self.tls {
            false => String::new(),
            true => format!(", tls: {{certificate: '{at}/crt', key: '{at}/key', clientcas: ['{at}/ca']}}"),
        }
    }

    async fn connect(self, port: u16, authority: &Authority) -> Option<MultiplexedConnection> {
        let url = format!("127.0.0.1:{port}/");
        let client = match self.tls {
            false => redis::Client::open(format!("redis://registry:secret-canary@{url}")).unwrap(),
            true => {
                let (client_cert, client_key) = authority.pair();
                let client_tls =
                    redis::ClientTlsConfig { client_cert: client_cert.into(), client_key: client_key.into() };
                let root_cert = Some(authority.pem().into_bytes());
                let tls = redis::TlsCertificates { client_tls: Some(client_tls), root_cert };
                redis::Client::build_with_tls(format!("rediss://registry:secret-canary@{url}"), tls).unwrap()
            }
        };
        client.get_multiplexed_async_connection().await.ok()
    }
}

/// Servers of one group, and their files.
struct Group {
    transport: Transport,
    authority: Authority,
    folder: TempDir,
    servers: Vec<RedisServer>,
}

impl Group {
    fn new(tls: bool) -> Self {
        let authority = Authority::new();
        let folder = folder(&authority);
        Self { transport: Transport { tls }, authority, folder, servers: Vec::new() }
    }

    /// Starts one more; gives its port, or nothing when the machine has no Redis.
    async fn add(&mut self, lines: &str, arguments: &[&str]) -> Option<u16> {
        let port = ports::free();
        let home = self.folder.path().join(port.to_string());
        std::fs::create_dir(&home).unwrap();
        let file = home.join("conf");
        let common = self.transport.lines(port, self.folder.path());
        std::fs::write(&file, format!("{common}dir {}\n{lines}", home.display())).unwrap();
        let arguments: Vec<&str> =
            [file.to_str().unwrap()].into_iter().chain(arguments.iter().copied()).collect();
        self.servers.push(RedisServer::start(port, &arguments).await?);
        Some(port)
    }

    /// What a server answers to a line of words; nothing when it does not.
    async fn ask<T: FromRedisValue>(&self, port: u16, line: &str) -> Option<T> {
        let mut connection = self.transport.connect(port, &self.authority).await?;
        // An empty word stands for itself in `MIGRATE`.
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.ok()
    }

    /// Does it or fails.
    async fn tell(&self, port: u16, line: &str) {
        assert!(self.ask::<redis::Value>(port, line).await.is_some(), "{line}");
    }

    async fn keys(&self, port: u16) -> Vec<String> {
        self.ask(port, "KEYS registry:1:*").await.unwrap_or_default()
    }

    /// Ends a server at once.
    fn kill(&mut self, port: u16) {
        self.servers.retain(|server| server.port != port);
    }

    /// A registry whose section `redis` begins with this.
    async fn registry(&self, section: &str) -> Fixture {
        let at = self.folder.path();
        let tls = self.transport.section(at);
        registry(&format!("{section}, username: registry, passwordfile: '{}/password'{tls}", at.display()))
            .await
    }
}

// registry RC5
#[tokio::test]
async fn redis_is_spoken_to_over_tls_with_an_account_from_files() {
    let mut group = Group::new(true);
    let Some(port) = group.add(ACCOUNT, &[]).await else { return };
    let (at, tls) = (group.folder.path().display(), group.transport.section(group.folder.path()));
    let login = format!("usernamefile: '{at}/user', passwordfile: '{at}/password'");
    let registry = registry(&format!("addrs: ['localhost:{port}'], {login}{tls}")).await;
    registry.push_image("n", "kept").await;
    is_cached(&registry, async || group.keys(port).await.len()).await;
}

/// A master, its replica, and a Sentinel that watches them; with their ports.
async fn watched(tls: bool) -> Option<(Group, [u16; 3])> {
    let mut group = Group::new(tls);
    let replication =
        format!("{ACCOUNT}masteruser registry\nmasterauth secret-canary\nrepl-diskless-sync-delay 0\n");
    let master = group.add(&replication, &[]).await?;
    let replica = group.add(&format!("{replication}replicaof 127.0.0.1 {master}\n"), &[]).await?;
    let watch = format!(
        "user default off\nuser watcher on >watchword ~* &* +@all\nuser registry on >secret-canary ~* &* +@all\n\
         sentinel monitor images 127.0.0.1 {master} 1\nsentinel auth-user images registry\n\
         sentinel auth-pass images secret-canary\nsentinel down-after-milliseconds images 500\n\
         sentinel failover-timeout images 2000\n"
    );
    let sentinel = group.add(&watch, &["--sentinel"]).await?;
    eventually(async || {
        let replicas: Option<Vec<redis::Value>> = group.ask(sentinel, "SENTINEL REPLICAS images").await;
        let info: Option<String> = group.ask(replica, "INFO replication").await;
        replicas.is_some_and(|known| known.len() == 1)
            && info.is_some_and(|info| info.contains("master_link_status:up"))
    })
    .await;
    Some((group, [master, replica, sentinel]))
}

impl Group {
    /// A registry that asks these Sentinels.
    async fn asking(&self, sentinels: &[u16]) -> Fixture {
        let addresses: Vec<String> = sentinels.iter().map(|port| format!("'127.0.0.1:{port}'")).collect();
        let at = self.folder.path().display();
        let section = format!(
            "addrs: [{}], mastername: images, sentinelusernamefile: '{at}/watcher', \
             sentinelpasswordfile: '{at}/watchword'",
            addresses.join(", ")
        );
        self.registry(&section).await
    }
}

// registry RC3 RC13
#[tokio::test]
async fn when_the_master_dies_everything_is_served_and_the_new_one_is_used() {
    let Some((mut group, [master, replica, sentinel])) = watched(false).await else { return };
    // The first two Sentinels are of no use: one is gone, one is frozen.
    let frozen = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let frozen = (frozen.local_addr().unwrap().port(), frozen);
    let registry = group.asking(&[1, frozen.0, sentinel]).await;
    registry.push_image("n", "kept").await;
    is_cached(&registry, async || group.keys(master).await.len()).await;
    group.kill(master);
    push_pull_delete(&registry).await;
    eventually(async || {
        let role: Option<Vec<redis::Value>> = group.ask(replica, "ROLE").await;
        role.is_some_and(|role| role.first() == Some(&redis::Value::BulkString(b"master".into())))
    })
    .await;
    // What the old master knew is forgotten, so that what comes now was written to the new one.
    group.tell(replica, "FLUSHALL").await;
    is_cached(&registry, async || group.keys(replica).await.len()).await;
    push_pull_delete(&registry).await;
}

// registry RC13
#[tokio::test]
async fn a_master_that_became_a_replica_is_left_for_the_new_one() {
    let Some((group, [master, replica, sentinel])) = watched(false).await else { return };
    let registry = group.asking(&[sentinel]).await;
    registry.push_image("n", "kept").await;
    is_cached(&registry, async || group.keys(master).await.len()).await;
    // Nobody cuts connections here, as Sentinel would: writes are refused from now on.
    group.tell(sentinel, "SENTINEL REMOVE images").await;
    group.tell(replica, "REPLICAOF NO ONE").await;
    group.tell(master, &format!("REPLICAOF 127.0.0.1 {replica}")).await;
    group.tell(sentinel, &format!("SENTINEL MONITOR images 127.0.0.1 {replica} 1")).await;
    group.tell(sentinel, "SENTINEL SET images auth-user registry").await;
    group.tell(sentinel, "SENTINEL SET images auth-pass secret-canary").await;
    group.tell(replica, "FLUSHALL").await;
    eventually(async || group.keys(master).await.is_empty()).await;
    is_cached(&registry, async || group.keys(replica).await.len()).await;
}

// registry RC5 RC13
#[tokio::test]
async fn a_wrong_password_at_the_sentinels_is_healed_by_the_right_one() {
    let Some((group, [master, _, sentinel])) = watched(false).await else { return };
    let file = group.folder.path().join("watchword");
    std::fs::write(&file, "wrong").unwrap();
    let registry = group.asking(&[sentinel]).await;
    push_pull_delete(&registry).await;
    registry.push_image("n", "kept").await;
    assert!(group.keys(master).await.is_empty());
    std::fs::write(&file, "watchword").unwrap();
    is_cached(&registry, async || group.keys(master).await.len()).await;
}

#[tokio::test]
async fn sentinels_and_their_master_are_spoken_to_over_tls() {
    let Some((group, [master, _, sentinel])) = watched(true).await else { return };
    let registry = group.asking(&[sentinel]).await;
    registry.push_image("n", "kept").await;
    is_cached(&registry, async || group.keys(master).await.len()).await;
}

/// Three nodes that share the slots, with their ports.
async fn cluster(tls: bool) -> Option<(Group, [u16; 3])> {
    let mut group = Group::new(tls);
    let mut ports = [0; 3];
    let mut buses = [0; 3];
    for (port, bus) in ports.iter_mut().zip(&mut buses) {
        *bus = ports::free();
        let lines = format!(
            "{ACCOUNT}cluster-enabled yes\ncluster-port {bus}\ncluster-node-timeout 2000\n\
             cluster-require-full-coverage no\n"
        );
        *port = group.add(&lines, &[]).await?;
    }
    for (port, slots) in ports.into_iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
        group.tell(port, &format!("CLUSTER ADDSLOTSRANGE {slots}")).await;
        group.tell(port, &format!("CLUSTER MEET 127.0.0.1 {} {}", ports[0], buses[0])).await;
    }
    eventually(async || {
        let mut knowing = 0;
        for port in ports {
            let info: Option<String> = group.ask(port, "CLUSTER INFO").await;
            let all = |info: &String| info.contains("slots_assigned:16384") && info.contains("state:ok");
            knowing += usize::from(info.as_ref().is_some_and(all));
        }
        knowing == ports.len()
    })
    .await;
    Some((group, ports))
}

impl Group {
    async fn all_keys(&self, ports: &[u16]) -> Vec<(u16, String)> {
        let mut all = Vec::new();
        for port in ports {
            all.extend(self.keys(*port).await.into_iter().map(|key| (*port, key)));
        }
        all
    }

    /// Moves a slot with its one key and stops before the nodes are told whose it is.
    async fn move_key(&self, key: &str, from: u16, to: u16) -> (u16, String) {
        let slot: u16 = self.ask(from, &format!("CLUSTER KEYSLOT {key}")).await.unwrap();
        let old: String = self.ask(from, "CLUSTER MYID").await.unwrap();
        let new: String = self.ask(to, "CLUSTER MYID").await.unwrap();
        self.tell(to, &format!("CLUSTER SETSLOT {slot} IMPORTING {old}")).await;
        self.tell(from, &format!("CLUSTER SETSLOT {slot} MIGRATING {new}")).await;
        let login = "AUTH2 registry secret-canary";
        self.tell(from, &format!("MIGRATE 127.0.0.1 {to}  0 5000 {login} KEYS {key}")).await;
        (slot, new)
    }
}

// registry RC1 RC13
#[tokio::test]
async fn a_slot_of_a_cluster_moves_and_its_new_node_is_used() {
    let Some((group, ports)) = cluster(false).await else { return };
    // One node twice: a cluster that is known by one address.
    let one = format!("'127.0.0.1:{}'", ports[0]);
    let registry = group.registry(&format!("addrs: [{one}, {one}]")).await;
    let (digest, ..) = registry.push_image("n", "kept").await;
    is_cached(&registry, async || group.all_keys(&ports).await.len()).await;
    let hex = digest.trim_start_matches("sha256:");
    let known = group.all_keys(&ports).await;
    let (from, key) = known.iter().find(|(_, key)| key.contains(hex)).unwrap();
    let to = *ports.iter().find(|port| *port != from).unwrap();
    let path = format!("/v2/n/manifests/{digest}");
    let (slot, new) = group.move_key(key, *from, to).await;
    assert_eq!(registry.status("GET", &path).await, 200);
    for port in ports {
        group.tell(port, &format!("CLUSTER SETSLOT {slot} NODE {new}")).await;
    }
    assert_eq!(registry.status("GET", &path).await, 200);
    group.tell(to, &format!("DEL {key}")).await;
    eventually(async || {
        assert_eq!(registry.status("GET", &path).await, 200);
        group.keys(to).await.contains(key)
    })
    .await;
    push_pull_delete(&registry).await;
}

// registry RC3 RC4 RC13
#[tokio::test]
async fn a_cluster_with_a_dead_or_frozen_node_changes_no_answer() {
    let Some((mut group, ports)) = cluster(false).await else { return };
    let addresses: Vec<String> = ports.iter().map(|port| format!("'127.0.0.1:{port}'")).collect();
    let registry = group.registry(&format!("addrs: [{}]", addresses.join(", "))).await;
    registry.push_image("n", "kept").await;
    is_cached(&registry, async || group.all_keys(&ports).await.len()).await;
    let stopped = group.servers[0].child.id().to_string();
    let signal = |name: &str| {
        assert!(std::process::Command::new("kill").args([name, &stopped]).status().unwrap().success());
    };
    signal("-STOP");
    let began = std::time::Instant::now();
    for i in 0..30 {
        registry.push_image(&format!("n{i}"), "t").await;
        assert_eq!(registry.status("GET", &format!("/v2/n{i}/manifests/t")).await, 200);
    }
    // One time-out a request would be far more.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    signal("-CONT");
    group.kill(ports[1]);
    push_pull_delete(&registry).await;
    let others = [ports[0], ports[2]];
    for port in others {
        group.ask::<redis::Value>(port, "FLUSHALL").await;
    }
    // Another image each time: a value whose node is gone cannot be kept.
    let tries = std::cell::Cell::new(0);
    eventually(async || {
        tries.set(tries.get() + 1);
        registry.push_image("again", &format!("t{}", tries.get())).await;
        assert_eq!(registry.status("GET", &format!("/v2/again/manifests/t{}", tries.get())).await, 200);
        !group.all_keys(&others).await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_cluster_is_spoken_to_over_tls() {
    let Some((group, ports)) = cluster(true).await else { return };
    let addresses = format!("'127.0.0.1:{}', '127.0.0.1:{}'", ports[0], ports[1]);
    let registry = group.registry(&format!("addrs: [{addresses}]")).await;
    registry.push_image("n", "kept").await;
    is_cached(&registry, async || group.all_keys(&ports).await.len()).await;
}
