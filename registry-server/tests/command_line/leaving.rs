//! Section 3: clients that leave in the middle of a blob, and what is left of them.

use std::io::{Read as _, Write as _};

use serde_json::Value;

use crate::{
    costs::files,
    running::{Running, eventually},
    sparse,
};

const SIZE: u64 = 1 << 30;
const READ: usize = 1 << 20;

/// Reads the beginning of the blob, and goes.
fn leave(running: &Running, blob: &str, id: &str) {
    let mut socket = running.connect();
    write!(socket, "GET {blob} HTTP/1.1\r\nhost: x\r\nx-request-id: {id}\r\n\r\n").unwrap();
    let mut begun = vec![0; READ];
    socket.read_exact(&mut begun).unwrap();
    assert!(begun.starts_with(b"HTTP/1.1 200 OK\r\n"));
}

// registry B21 OB4: it is no error, and the access log says how much of it went out
#[test]
fn a_client_that_leaves_leaves_one_line_and_no_open_file() {
    let folder = tempfile::tempdir().unwrap();
    let text = "log: {formatter: json, level: debug}\nstorage: {filesystem: {rootdirectory: store}}\n";
    std::fs::write(folder.path().join("c.yml"), text).unwrap();
    let blob = sparse::blob(&folder.path().join("store"), "n", SIZE);
    let running = Running::start(folder.path(), &["c.yml"]);
    assert!(running.ask("GET /v2/ HTTP/1.1").starts_with("HTTP/1.1 200 "));
    let (before, ids) = (files(&running), ["first", "second", "third"]);
    for id in ids {
        leave(&running, &blob, id);
        eventually(|| files(&running) <= before);
    }
    assert!(running.ask("GET /v2/ HTTP/1.1").starts_with("HTTP/1.1 200 "));
    let (code, log) = running.end();
    assert_eq!(code, Some(0));
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for id in ids {
        let about: Vec<&Value> = lines.iter().filter(|line| line["request_id"] == id).collect();
        assert_eq!(about.len(), 1, "{about:?}");
        let (line, sent) = (about[0], about[0]["bytes_out"].as_u64().unwrap());
        assert_eq!((&line["level"], &line["message"]), (&"INFO".into(), &"request".into()));
        assert_eq!((&line["status"], &line["complete"]), (&200.into(), &false.into()), "{line}");
        // The answer's header is not counted, and sockets hold some more than was read.
        assert!((READ as u64 - 1_000..SIZE).contains(&sent), "{line}");
    }
    // Beside the lines of the five requests and of the start and the end there is nothing above DEBUG.
    let above = |line: &&Value| line["level"] != "DEBUG" && line["message"] != "request";
    let above: Vec<&str> = lines.iter().filter(above).filter_map(|line| line["message"].as_str()).collect();
    assert_eq!(above.len(), 3, "{above:?}");
    for (told, wanted) in above.iter().zip(["the registry is open", "serving", "ending"]) {
        assert!(told.starts_with(wanted), "{above:?}");
    }
    assert_eq!(lines.iter().filter(|line| line["message"] == "request").count(), 5);
}
