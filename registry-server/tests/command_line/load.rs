//! Section 15, LM2: what connections and uploads cost, and that others are served meanwhile.
//!
//! Where `HOSTILE` is set, as `make hostile` does, there are as many as the behaviour says; else fewer.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
};

use crate::{
    costs::{Costs, full},
    ending::begin,
    peers::{Peer, Peers, Speech, certify},
    running::{Running, eventually},
};

fn serve(folder: &Path, more: &str) -> Running {
    // Nobody reads what it logs.
    std::fs::write(folder.join("c.yml"), format!("log: {{accesslog: {{disabled: true}}}}\n{more}")).unwrap();
    Running::start(folder, &["c.yml"])
}

/// Connections over which something was asked rest, and take no more than so many KiB each.
fn rest(speech: Speech, more: &str, what: &str, most: u64) {
    // This end needs as many files.
    registry_server::app::open_files::take_all().unwrap();
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let running = serve(folder.path(), more);
    let peers = Peers::new(&running, speech, folder.path());
    let mut other = peers.open();
    other.ask();
    let (costs, count) = (Costs::before(&running), if full() { 10_000 } else { 1_000 });
    let mut resting: Vec<Box<dyn Peer>> = Vec::new();
    resting.resize_with(count, || {
        let mut peer = peers.open();
        peer.ask();
        peer
    });
    other.ask();
    costs.tell(&running, what, count, most);
    peers.open().ask();
    drop(resting);
    costs.are_given_back(&running);
    other.ask();
}

// registry LM2
#[test]
fn many_idle_connections_take_little_memory_and_no_turn() {
    let tls = "http: {tls: {certificate: crt, key: key}}\n";
    rest(Speech::Plain, "", "idle connections", 40);
    rest(Speech::Secure, tls, "idle connections, TLS", 48);
    rest(Speech::Second, "", "idle connections, HTTP/2", 40);
}

/// Sends half of an upload.
fn half(running: &Running, bytes: &[u8]) -> TcpStream {
    let location = begin(running);
    let mut socket = running.connect();
    let length = 2 * bytes.len();
    write!(socket, "PATCH {location} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n").unwrap();
    socket.write_all(bytes).unwrap();
    socket
}

// registry LM2
#[test]
fn manifests_that_nobody_takes_cost_as_little_as_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let running = serve(folder.path(), "limits: {maxmanifestsize: 17000000}\n");
    // More than sockets hold: of less, nothing would have to wait in the server.
    let (note, count) = ("x".repeat(16 << 20), if full() { 1_000 } else { 50 });
    let index = format!(r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"note":"{note}"}}}}"#);
    let kind = "content-type: application/vnd.oci.image.index.v1+json";
    assert!(running.ask(&format!("PUT /v2/n/manifests/t HTTP/1.1\n{kind}\n\n{index}")).contains(" 201 "));
    let whole = || running.ask("GET /v2/n/manifests/t HTTP/1.1").ends_with(&index);
    assert!(whole());
    let costs = Costs::before(&running);
    let waiting: Vec<TcpStream> = (0..count).map(|_| asking(&running, "/v2/n/manifests/t")).collect();
    // Each is read whole for a moment; a quarter of what each would take that waits.
    costs.tell(&running, "slow readers of manifests", count, 4 << 10);
    assert!(whole());
    drop(waiting);
    costs.are_given_back(&running);
}

/// Asks for it, and takes no more of the answer than its first byte.
fn asking(running: &Running, path: &str) -> TcpStream {
    let mut socket = running.connect();
    write!(socket, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    socket.read_exact(&mut [0]).unwrap();
    socket
}

/// How many bytes of uploads are on the disk.
fn taken(folder: &Path) -> u64 {
    let uploads = folder.join("data/docker/registry/v2/repositories/n/_uploads");
    let Ok(uploads) = std::fs::read_dir(uploads) else { return 0 };
    let data = uploads.filter_map(|upload| upload.unwrap().path().join("data").metadata().ok());
    data.map(|data| data.len()).sum()
}

// registry LM2
#[test]
fn many_uploads_at_once_take_bounded_memory_and_no_turn() {
    let folder = tempfile::tempdir().unwrap();
    let running = serve(folder.path(), "");
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let kind = "content-type: application/vnd.oci.image.index.v1+json";
    assert!(running.ask(&format!("PUT /v2/n/manifests/t HTTP/1.1\n{kind}\n\n{index}")).contains(" 201 "));
    let pull = || assert!(running.ask("GET /v2/n/manifests/t HTTP/1.1").ends_with(index));
    let (bytes, count) = (vec![b'x'; 3 << 20], if full() { 200 } else { 50 });
    let costs = Costs::before(&running);
    let sending: Vec<TcpStream> = (0..count).map(|_| half(&running, &bytes)).collect();
    // What was sent may wait in a socket for the server to take it.
    let gathered = 1 << 20;
    eventually(|| taken(folder.path()) >= (count * (bytes.len() - gathered)) as u64);
    pull();
    costs.tell(&running, "open uploads", count, 4 << 10);
    drop(sending);
    costs.are_given_back(&running);
    pull();
}
