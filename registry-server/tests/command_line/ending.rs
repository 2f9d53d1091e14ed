//! Section 13: what SIGTERM does to those who are served.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
};

use registry_server::oci::{digest::Algorithm, hasher::Hasher};

use crate::{
    canaries,
    running::{Running, eventually},
};

fn serve(folder: &Path, drain: &str) -> Running {
    let text =
        format!("storage: {{filesystem: {{rootdirectory: store}}}}\nhttp: {{draintimeout: {drain}}}\n");
    std::fs::write(folder.join("c.yml"), text).unwrap();
    Running::start(folder, &["c.yml"])
}

/// A header field of an answer.
pub fn header(answer: &str, name: &str) -> String {
    let line = answer.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_default().to_owned()
}

/// Opens an upload.
pub fn begin(running: &Running) -> String {
    header(&running.ask("POST /v2/n/blobs/uploads/ HTTP/1.1"), "location")
}

/// Reads until the text has come.
pub fn read_until(socket: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let mut more = [0; 1024];
        let count = socket.read(&mut more).unwrap();
        assert_ne!(count, 0, "closed after {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&more[..count]);
    }
    canaries::told(&read);
    String::from_utf8_lossy(&read).into_owned()
}

/// A PATCH of six bytes that the server has begun to read, of which three are sent.
pub fn half_a_patch(running: &Running, location: &str) -> TcpStream {
    let mut socket = running.connect();
    let head =
        format!("PATCH {location} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 6\r\n\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    read_until(&mut socket, "100 Continue");
    socket.write_all(b"abc").unwrap();
    socket
}

fn ready(running: &Running) -> bool {
    let answer = running.admin("/readyz");
    let ready = answer.starts_with("HTTP/1.1 200 ");
    let ending = answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\nending\n");
    assert!(ready || ending, "{answer}");
    ready
}

// registry J8
#[test]
fn what_runs_is_finished_and_what_is_left_goes_on_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let running = serve(folder.path(), "60s");
    // More than sockets hold.
    let blob = "x".repeat(24 << 20);
    let digest = |bytes: &str| Hasher::digest(Algorithm::Sha256, bytes.as_bytes()).to_string();
    let large = digest(&blob);
    let path = format!("/v2/n/blobs/uploads/?digest={large}");
    assert!(running.ask(&format!("POST {path} HTTP/1.1\n\n{blob}")).starts_with("HTTP/1.1 201 "));
    let location = begin(&running);
    assert!(ready(&running));
    let mut pull = running.connect();
    write!(pull, "GET /v2/n/blobs/{large} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let begun = read_until(&mut pull, "\r\n\r\n");
    let mut push = half_a_patch(&running, &location);
    running.signal();
    eventually(|| !ready(&running));
    push.write_all(b"def").unwrap();
    let answer = read_until(&mut push, "\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 202 ") || answer.contains("\r\nHTTP/1.1 202 "), "{answer}");
    assert_eq!(header(&answer, "range"), "0-5");
    let mut rest = Vec::new();
    pull.read_to_end(&mut rest).unwrap();
    let body = begun.split_once("\r\n\r\n").unwrap().1.len() + rest.len();
    assert_eq!(body, blob.len());
    drop((push, pull));
    assert_eq!(running.ended().0, Some(0));
    let next = serve(folder.path(), "60s");
    assert_eq!(header(&next.ask(&format!("GET {location} HTTP/1.1")), "range"), "0-5");
    let put = next.ask(&format!("PUT {location}?digest={} HTTP/1.1\n\nghi", digest("abcdefghi")));
    assert!(put.starts_with("HTTP/1.1 201 "), "{put}");
    assert_eq!(next.end().0, Some(0));
}

// registry J8
#[test]
fn nobody_is_waited_for_beyond_the_deadline_or_a_second_signal() {
    for (drain, code) in [("1s", 0), ("1h", 1)] {
        let folder = tempfile::tempdir().unwrap();
        let running = serve(folder.path(), drain);
        let location = begin(&running);
        let _held = half_a_patch(&running, &location);
        running.signal();
        if code != 0 {
            eventually(|| !ready(&running));
            running.signal();
        }
        let (ended, log) = running.ended();
        assert_eq!(ended, Some(code), "{log}");
        assert_eq!(log.contains("still running at the end of the drain time"), code == 0, "{log}");
        let next = serve(folder.path(), drain);
        let kept = next.ask(&format!("GET {location} HTTP/1.1"));
        assert!(kept.starts_with("HTTP/1.1 204 ") && header(&kept, "range") == "0-0", "{kept}");
        assert_eq!(next.end().0, Some(0));
    }
}
