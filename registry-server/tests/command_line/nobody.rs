//! Section 14: rules about certificates where nobody can show one.

use crate::{
    running::{Running, eventually},
    server,
};

/// A live file. Nobody reads what is logged before the end.
const RULE: &str = "log: {accesslog: {disabled: true}}\naccess:\n- {subjects: ['cert:builder'], repositories: ['**'], actions: [push]}\n";
const MAIN: &str = "storage: {inmemory: {}}\nauth: {htpasswd: {path: htpasswd}}\n";
const TOLD: &str = "access.0.subjects.0: certificates name nobody: set http.tls.clientcas";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("htpasswd"), "dev:{SHA}dR6xbZ1gQLunYuitWAujQx3sL88=\n").unwrap();
    folder
}

// registry CF2 CF7 TL4
#[test]
fn a_rule_about_certificates_that_nobody_can_show_ends_the_start() {
    let folder = folder();
    let file = folder.path().join("c.yml");
    std::fs::write(&file, format!("{MAIN}{RULE}")).unwrap();
    let output = server().arg("serve").arg(&file).current_dir(folder.path()).assert().code(78);
    let told = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(told.contains(TOLD), "{told}");
    // It may be a live file, so that it is no mistake in itself.
    let output = server().args(["config", "validate"]).arg(&file).assert().success();
    let told = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(told.contains("warning: ") && told.contains(TOLD), "{told}");
}

// registry CF2 TL4: the live file may be newer than the main one
#[test]
fn such_a_rule_of_a_live_file_is_told_and_the_others_hold() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let live = |rules: &str| {
        std::fs::write(at("next"), rules).unwrap();
        std::fs::rename(at("next"), at("live.yml")).unwrap();
    };
    std::fs::write(at("c.yml"), format!("{MAIN}live: {{path: live.yml}}\n")).unwrap();
    live(RULE);
    let running = Running::start(folder.path(), &["c.yml"]);
    let get = "GET /v2/n/manifests/t HTTP/1.1\nauthorization: Basic ZGV2OnNlY3JldC1jYW5hcnk=";
    let pull = || running.ask(get);
    assert!(pull().starts_with("HTTP/1.1 403 "));
    live(&format!("{RULE}- {{subjects: ['user:dev'], repositories: ['**'], actions: [pull]}}\n"));
    eventually(|| pull().starts_with("HTTP/1.1 404 "));
    let (code, log) = running.end();
    assert_eq!((code, log.matches(TOLD).count()), (Some(0), 2), "{log}");
}
