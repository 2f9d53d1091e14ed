//! Section 16: where the audit log goes.

use std::fs;

use assert_cmd::Command;

use crate::running::Running;

// registry OB8
#[test]
fn without_a_file_the_audit_log_goes_to_standard_output_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.yml"), "log: {audit: {}}\nstorage: {inmemory: {}}\n").unwrap();
    let registry = Running::start(folder.path(), &["c.yml"]);
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let answer = registry.ask(&format!("PUT /v2/a/manifests/v1 HTTP/1.1\n\n{index}"));
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(registry.ask("GET /v2/a/tags/list HTTP/1.1\n\n").starts_with("HTTP/1.1 200 "));
    registry.signal();
    let (code, [lines, _]) = registry.ended_saying();
    assert_eq!((code, lines.lines().count()), (Some(0), 1), "{lines}");
    assert!(
        lines.contains(r#""action":"push","method":"PUT","repository":"a","digest":"sha256:"#),
        "{lines}"
    );
}

// registry OB8 CF5
#[test]
fn an_audit_log_that_cannot_be_written_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        "log: {audit: {file: missing/audit}}\nstorage: {inmemory: {}}\nhttp: {addr: '127.0.0.1:0'}\n";
    fs::write(folder.path().join("c.yml"), config).unwrap();
    let mut command = Command::cargo_bin("registry-server").unwrap();
    let ended = command.args(["serve", "c.yml"]).current_dir(folder.path()).assert().code(78);
    let told = String::from_utf8(ended.get_output().stderr.clone()).unwrap();
    assert!(told.contains("cannot write to missing/audit (log.audit.file)"), "{told}");
}
