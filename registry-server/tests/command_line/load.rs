//! Section 15: many clients at once.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::running::Running;

/// A third of the files that this process may open: the server has as many, and uploads need some.
fn sockets() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().map_or(usize::MAX, |most| most / 3)
}

/// KiB of memory that the server has used at most so far.
fn peak(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn ping(socket: &mut TcpStream) {
    socket.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n{}") {
        let mut more = [0; 1024];
        let count = socket.read(&mut more).unwrap();
        assert_ne!(count, 0, "closed");
        answer.extend_from_slice(&more[..count]);
    }
}

// registry LM2
#[test]
fn many_idle_connections_and_uploads_take_little_memory_and_no_turn() {
    let (idle, uploads, sent) = (10_000.min(sockets()), 200, 3 << 20);
    let folder = tempfile::tempdir().unwrap();
    // Nobody reads what it logs.
    std::fs::write(folder.path().join("c.yml"), "log: {accesslog: {disabled: true}}\n").unwrap();
    let running = Running::start(folder.path(), &["c.yml"]);
    let mut one = running.connect();
    ping(&mut one);
    let alone = peak(&running);
    let resting: Vec<TcpStream> = (0..idle)
        .map(|_| {
            let mut socket = running.connect();
            ping(&mut socket);
            socket
        })
        .collect();
    ping(&mut one);
    let rested = peak(&running) - alone;
    let half = vec![b'x'; sent];
    let sending: Vec<TcpStream> = (0..uploads)
        .map(|_| {
            let begun = running.ask("POST /v2/n/blobs/uploads/ HTTP/1.1");
            let location = begun.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
            let mut socket = running.connect();
            let head =
                format!("PATCH {location} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", 2 * sent);
            socket.write_all(head.as_bytes()).unwrap();
            socket.write_all(&half).unwrap();
            socket
        })
        .collect();
    ping(&mut one);
    let received = peak(&running) - alone - rested;
    println!("alone {alone} KiB, {idle} idle {rested} KiB, {uploads} uploads {received} KiB");
    // What the documentation says, in KiB.
    assert!(rested < 40 * idle as u64, "{rested} KiB for {idle} idle connections");
    assert!(received < 4 * 1024 * uploads as u64, "{received} KiB for {uploads} uploads");
    drop((resting, sending));
    ping(&mut one);
}
