//! The binary: configuration errors, accounts, start and end.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

use assert_cmd::Command as Assert;

fn server() -> Assert {
    let mut command = Assert::cargo_bin("registry-server").unwrap();
    command.env_clear();
    command
}

// registry CF2
#[test]
fn a_wrong_file_exits_78_and_names_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.yml");
    std::fs::write(&file, "version: 0.1\na: 1\nhttp:\n  b: 2\n  addr: [x]\nlog:\n  c: 3\n").unwrap();
    for arguments in [vec!["serve"], vec!["config", "validate"]] {
        let output = server().args(arguments).arg(&file).assert().code(78);
        let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        for place in ["c.yml:2:1: a: ", "c.yml:4:3: http.b: ", "c.yml:5:3: http.addr: ", "c.yml:7:3: log.c: "]
        {
            assert!(text.contains(place), "{place} in {text}");
        }
    }
}

// registry CF1
#[test]
fn an_open_registry_for_strangers_is_refused() {
    let output = server().arg("serve").env("REGISTRY_HTTP_ADDR", ":0").assert().code(78);
    assert!(String::from_utf8_lossy(&output.get_output().stderr).contains("--allow-anonymous-writes"));
}

// registry CF7
#[test]
fn the_default_configuration_validates() {
    let folder = tempfile::tempdir().unwrap();
    let printed = server().args(["config", "print-default"]).assert().success();
    let file = folder.path().join("c.yml");
    std::fs::write(&file, &printed.get_output().stdout).unwrap();
    server().args(["config", "validate"]).arg(&file).assert().success();
}

// registry AU7
#[test]
fn accounts_are_made_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("htpasswd");
    let run = |verb: &str, user: &str, password: &str| {
        server().args(["htpasswd", verb]).arg(&file).arg(user).write_stdin(password.to_owned()).assert()
    };
    run("add", "ann", "secret\n").success();
    run("add", "bob", "other").success();
    run("add", "ann", "changed").success();
    run("verify", "ann", "changed\n").success();
    run("verify", "ann", "secret").failure();
    run("verify", "bob", "other").success();
    run("add", "eve", &"x".repeat(73)).failure();
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
}

// registry CF1 J8
#[test]
fn it_serves_from_the_default_and_ends_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("registry-server"))
        .arg("serve")
        .current_dir(folder.path())
        .env("REGISTRY_HTTP_ADDR", format!("127.0.0.1:{port}"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stream = (0..100)
        .find_map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .unwrap();
    stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(log.matches("the registry is open").count(), 1);
    assert!(folder.path().join("data").is_dir());
}

// registry ST3, seed D11
#[test]
fn a_store_that_is_not_the_expected_one_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let file = folder.path().join("c.yml");
    let text = format!("storage: {{identity: mine, filesystem: {{rootdirectory: '{}'}}}}", store.display());
    std::fs::write(&file, &text).unwrap();
    let refused = |expected: &str, found: &str| {
        let output = server().arg("serve").arg(&file).assert().code(78);
        let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        for part in [expected, found, "not mounted", "storage.initialize: true"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    };
    refused("\"mine\"", "no identity");
    assert!(!store.exists());
    std::fs::create_dir_all(store.join("docker/registry/v2")).unwrap();
    std::fs::write(store.join("docker/registry/v2/identity"), "another\n").unwrap();
    refused("\"mine\"", "\"another\"");
    assert_eq!(std::fs::read_to_string(store.join("docker/registry/v2/identity")).unwrap(), "another\n");
}

// registry TL7, seed D12
#[test]
fn a_certificate_that_no_client_takes_is_refused() {
    let certificates = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.yml");
    for (name, reason) in [("rsa-1024", "1024 bits"), ("version-1", "X.509 version 1")] {
        let pem = format!("{certificates}/{name}.pem");
        let text =
            format!("storage: {{inmemory: {{}}}}\nhttp: {{tls: {{certificate: '{pem}', key: '{pem}'}}}}");
        std::fs::write(&file, text).unwrap();
        let output = server().arg("serve").arg(&file).assert().code(78);
        let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(text.contains("http.tls.certificate: ") && text.contains(reason), "{text}");
    }
}
