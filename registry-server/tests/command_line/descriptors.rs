//! Section 15, LM2: open files, of which each connection is one.

use std::{io::Write as _, net::TcpStream, path::Path, process::Command};

use crate::{
    costs::files,
    ending::read_until,
    running::{Running, eventually, program},
};

/// The program with what the shell says about its limits.
fn limited(limit: &str, folder: &Path) -> Running {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!(r#"{limit} && exec "$0" "$@""#)]).arg(program());
    std::fs::write(folder.join("c.yml"), "log: {accesslog: {disabled: true}}\n").unwrap();
    Running::by(&mut shell, "127.0.0.1", folder, &["c.yml"])
}

// registry LM2
#[test]
fn it_takes_as_many_files_as_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let running = limited("ulimit -Sn 64 && ulimit -Hn 128", folder.path());
    drop(running.connect());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.child.id())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["128", "128", "files"]);
}

/// The status of an answer on a connection that stays.
fn asked(socket: &mut TcpStream, path: &str) -> String {
    write!(socket, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    read_until(socket, "\r\n\r\n{")[..12].to_owned()
}

// registry LM2: what cannot be opened now is not missing, and whoever is served already is served on
#[test]
fn without_files_left_it_says_so_and_serves_again_when_there_are() {
    let (folder, index) = (tempfile::tempdir().unwrap(), r#"{"schemaVersion":2,"manifests":[]}"#);
    let running = limited("ulimit -n 64", folder.path());
    let kind = "content-type: application/vnd.oci.image.index.v1+json";
    assert!(running.ask(&format!("PUT /v2/n/manifests/t HTTP/1.1\n{kind}\n\n{index}")).contains(" 201 "));
    let mut early = running.connect();
    assert_eq!(asked(&mut early, "/v2/"), "HTTP/1.1 200");
    let before = files(&running);
    let flood: Vec<TcpStream> = (0..200).map(|_| running.connect()).collect();
    eventually(|| {
        let status = asked(&mut early, "/v2/n/manifests/t");
        assert!(["HTTP/1.1 200", "HTTP/1.1 503"].contains(&&*status), "{status}");
        status.ends_with("503")
    });
    assert_eq!(asked(&mut early, "/v2/"), "HTTP/1.1 200");
    drop(flood);
    assert!(running.ask("GET /v2/n/manifests/t HTTP/1.1").ends_with(index));
    eventually(|| files(&running) <= before);
    let (code, log) = running.end();
    assert_eq!(code, Some(0));
    assert_eq!(log.matches("a connection cannot be accepted").count(), 1, "{log}");
}
