//! Section 18: the upstream suite of the OCI distribution specification, with every switch on, on each store and over
//! each version of HTTP. `make conformance`, a part of `make test`, builds the suite's program `oci-conformance` and insists on
//! it; without it in the PATH there is nothing to run. Reports go to `target/conformance`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use registry_config::schema::Config;
use registry_server::app::Server;
use tokio::{process::Command, sync::watch};

use crate::{
    authority::Authority,
    canaries, log_lines,
    object_store::{ACCESS, BUCKET, ObjectStore, SECRET},
};

/// What runs of the suite differ in: the version of the specification, and whether HTTP/2 is spoken.
const RUNS: [(&str, bool); 4] = [("1.1", false), ("1.1", true), ("dev", false), ("dev", true)];

const PROGRAM: &str = "oci-conformance";

/// Every switch that the suite has.
const SWITCHES: &[&str] = &[
    "OCI_API_PING",
    "OCI_API_PULL",
    "OCI_API_PUSH",
    "OCI_API_REFERRER",
    "OCI_API_BLOBS_ATOMIC",
    "OCI_API_BLOBS_DELETE",
    "OCI_API_BLOBS_DIGEST_HEADER",
    "OCI_API_BLOBS_MOUNT_ANONYMOUS",
    "OCI_API_BLOBS_UPLOAD_CANCEL",
    "OCI_API_MANIFESTS_ATOMIC",
    "OCI_API_MANIFESTS_DELETE",
    "OCI_API_MANIFESTS_DIGEST_HEADER",
    "OCI_API_MANIFESTS_TAG_PARAM",
    "OCI_API_TAGS_ATOMIC",
    "OCI_API_TAGS_DELETE",
    "OCI_API_TAGS_LIST",
    "OCI_DATA_IMAGE",
    "OCI_DATA_INDEX",
    "OCI_DATA_INDEX_LIST",
    "OCI_DATA_SPARSE",
    "OCI_DATA_ARTIFACT",
    "OCI_DATA_SUBJECT",
    "OCI_DATA_SUBJECT_MISSING",
    "OCI_DATA_ARTIFACT_LIST",
    "OCI_DATA_SUBJECT_LIST",
    "OCI_DATA_DATA_FIELD",
    "OCI_DATA_NONDISTRIBUTABLE",
    "OCI_DATA_CUSTOM_FIELDS",
    "OCI_DATA_NO_LAYERS",
    "OCI_DATA_EMPTY_BLOB",
    "OCI_DATA_SHA512",
];

/// Runs the suite against a registry with this store; gives what it printed, and its reports' folder. Nothing, when the
/// machine has no such program.
async fn suite(store: &str, name: &str, version: &str, second: bool) -> Option<(Output, PathBuf)> {
    if !is_here() {
        assert!(std::env::var_os("CONFORMANCE_REQUIRED").is_none(), "no oci-conformance on this machine");
        eprintln!("skipped: no oci-conformance on this machine: make conformance");
        return None;
    }
    let results = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../conformance").join(name);
    let _ = fs::remove_dir_all(&results);
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.server(folder.path());
    fs::write(folder.path().join("ca"), authority.pem()).unwrap();
    let at = folder.path().display();
    // The suite has an image whose layer is never pushed.
    let text = format!(
        "http: {{addr: '127.0.0.1:0', tls: {{certificate: '{at}/crt', key: '{at}/key'}}}}\n\
         validation: {{manifests: {{layers: optional}}}}\nstorage: {{delete: {{enabled: true}}, {}}}\n",
        store.replace("FOLDER", &at.to_string())
    );
    let config = Config::from_yaml("test", &text, []).unwrap();
    log_lines::watch();
    let _planted = canaries::plant(&config, folder.path());
    let server = Server::start(&config, &Vec::new()).await.unwrap();
    let address = server.address().unwrap();
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(server.run(stopped));
    let mut suite = Command::new(PROGRAM);
    suite.env_clear().envs(SWITCHES.iter().map(|switch| (switch, "true"))).current_dir(folder.path());
    suite.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    suite
        .env("OCI_VERSION", version)
        .env("OCI_TLS", "enabled")
        .env("SSL_CERT_FILE", folder.path().join("ca"));
    suite.env("OCI_REGISTRY", address.to_string()).env("OCI_RESULTS_DIR", &results);
    suite.env("GODEBUG", if second { "http2debug=1" } else { "http2client=0" });
    let output = suite.output().await;
    stop.send(true).unwrap();
    running.await.unwrap();
    Some((output.unwrap(), results))
}

/// Whether the machine has the suite. Reports of earlier runs stay where it has not.
fn is_here() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(PROGRAM).is_file())
}

/// The value of this attribute of the whole report; one that is 0 may be left out.
fn counted(report: &str, attribute: &str) -> usize {
    let (_, all) = report.split_once("<testsuites ").unwrap();
    let all = all.split('>').next().unwrap();
    let found = all.split_whitespace().find_map(|word| word.strip_prefix(attribute)?.strip_prefix("=\""));
    found.map_or(0, |value| value.trim_end_matches('"').parse().unwrap())
}

async fn passes(store: &str, kind: &str, (version, second): (&str, bool)) {
    let name = format!("{kind}-{version}-{}", if second { "http2" } else { "http1" });
    let Some((output, results)) = suite(store, &name, version, second).await else { return };
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: see {}", results.display());
    let report = fs::read_to_string(results.join("junit.xml")).unwrap();
    let [tests, bad, errors, skipped, disabled] =
        ["tests", "failures", "errors", "skipped", "disabled"].map(|word| counted(&report, word));
    println!("{name}: {tests} tests, {skipped} skipped, {disabled} switched off");
    assert_eq!((bad, errors, skipped, disabled), (0, 0, 0, 0), "{name}: see {}", results.display());
    assert!(tests > 500, "{name}: {tests}");
    assert_eq!(said.contains("http2: Transport"), second, "{name}");
}

#[tokio::test]
async fn every_test_passes_on_a_file_system() {
    for run in RUNS {
        passes("filesystem: {rootdirectory: 'FOLDER/store'}", "filesystem", run).await;
    }
}

// The store behind it is slow, so that all four run at once, each with a store of its own.
#[tokio::test(flavor = "multi_thread")]
async fn every_test_passes_on_an_object_store() {
    let each = RUNS.map(async |run| {
        let bucket = ObjectStore::start().await;
        let store = format!(
            "s3: {{region: us-east-1, regionendpoint: '{}', bucket: {BUCKET}, secure: false, accesskey: {ACCESS}, \
             secretkey: {SECRET}}}",
            bucket.address
        );
        passes(&store, "s3", run).await;
    });
    futures::future::join_all(each).await;
}
