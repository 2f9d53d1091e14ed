//! Sections 10 and 14: what metrics say about the store. They are a process's, so each registry here has its own.

use std::{fs, path::Path, process::Command};

use crate::running::{Running, eventually, program};

/// A registry in the folder `store`, which carries the identity `mine`.
fn registry(folder: &Path) -> Running {
    let at = folder.join("store");
    let store =
        format!("{{identity: mine, initialize: true, filesystem: {{rootdirectory: '{}'}}}}", at.display());
    fs::write(folder.join("c.yml"), format!("storage: {store}\n")).unwrap();
    Running::start(folder, &["c.yml"])
}

/// Waits until this kind of trouble is told, and no other; none: there is none.
fn told(registry: &Running, kind: &str) {
    let expected = ["wrong", "gone", "silent"].map(|one| Some(if one == kind { 1.0 } else { 0.0 }));
    eventually(|| {
        let said = |kind| registry.metric(&format!("registry_store_trouble{{kind=\"{kind}\"}}"));
        ["wrong", "gone", "silent"].map(said) == expected
    });
}

// registry ST3 OB3: nobody asks for anything, and the metrics answer whatever the store does
#[test]
fn a_metric_says_what_is_wrong_with_the_store_under_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(folder.path());
    let (store, away) = (folder.path().join("store"), folder.path().join("away"));
    let identity = store.join("docker/registry/v2/identity");
    told(&registry, "none");
    fs::write(&identity, "another").unwrap();
    told(&registry, "wrong");
    fs::write(&identity, "mine").unwrap();
    told(&registry, "none");
    fs::rename(&store, &away).unwrap();
    told(&registry, "gone");
    fs::rename(&away, &store).unwrap();
    told(&registry, "none");
    // Whoever reads this waits for a writer who never comes.
    fs::remove_file(&identity).unwrap();
    assert!(Command::new("mkfifo").arg(&identity).status().unwrap().success());
    told(&registry, "silent");
    let next = folder.path().join("next");
    fs::write(&next, "mine").unwrap();
    fs::rename(&next, &identity).unwrap();
    told(&registry, "none");
}

// registry OB3
#[test]
fn metrics_say_how_much_room_a_folder_has() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(folder.path());
    eventually(|| registry.metric("registry_store_capacity_bytes").is_some());
    let df = Command::new("df").args(["-B1", "--output=used,avail"]).arg(folder.path()).output().unwrap();
    let text = String::from_utf8(df.stdout).unwrap();
    let row = text.lines().nth(1).unwrap().split_whitespace();
    let row: Vec<f64> = row.map(|number| number.parse().unwrap()).collect();
    let near = |name: &str, wanted: f64| {
        let found = registry.metric(name).unwrap();
        // Others write meanwhile.
        assert!((found - wanted).abs() < 4e9, "{name}: {found}, df says {wanted}");
    };
    near("registry_store_used_bytes", row[0]);
    near("registry_store_capacity_bytes", row[0] + row[1]);
}

// registry OB3
#[test]
fn a_store_in_memory_has_no_end_that_could_be_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.yml"), "storage: {inmemory: }\n").unwrap();
    let registry = Running::start(folder.path(), &["c.yml"]);
    told(&registry, "none");
    assert!(!registry.admin("/metrics").contains("registry_store_capacity_bytes"));
}

// registry B20 CF6: an image from scratch has no certificates
#[test]
fn where_clients_reach_a_plain_bucket_over_tls_no_authority_is_needed_here() {
    let folder = tempfile::tempdir().unwrap();
    let bucket =
        "{region: r, bucket: b, regionendpoint: '127.0.0.1:1', secure: false, accesskey: a, secretkey: s}";
    let redirect = "{publicendpoint: 'https://images.example.com'}";
    fs::write(folder.path().join("c.yml"), format!("storage: {{redirect: {redirect}, s3: {bucket}}}\n"))
        .unwrap();
    let mut without = Command::new(program());
    without.env("SSL_CERT_FILE", folder.path().join("none")).env("SSL_CERT_DIR", folder.path());
    let registry = Running::by(&mut without, "127.0.0.1", folder.path(), &["c.yml"]);
    assert!(registry.ask("GET /v2/ HTTP/1.1").starts_with("HTTP/1.1 "));
}
