//! Section 16, OB3: what metrics say, to the number. They are a process's, so each registry here has its own.

use std::{fs, io::Write as _, path::Path, time::Instant};

use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use registry_server::oci::{digest::Algorithm, hasher::Hasher};

use crate::{
    ending::{begin, half_a_patch, read_until},
    running::{Running, eventually},
};

const INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

fn serve(folder: &Path, text: &str) -> Running {
    fs::write(folder.join("c.yml"), text).unwrap();
    Running::start(folder, &["c.yml"])
}

/// Pushes a blob at once; gives the path at which it is read.
fn push(registry: &Running, bytes: &str) -> String {
    let digest = Hasher::digest(Algorithm::Sha256, bytes.as_bytes());
    let pushed = registry.ask(&format!("POST /v2/n/blobs/uploads/?digest={digest} HTTP/1.1\n\n{bytes}"));
    assert!(pushed.starts_with("HTTP/1.1 201 "), "{pushed}");
    format!("/v2/n/blobs/{digest}")
}

fn get(registry: &Running, path: &str, status: u16) -> usize {
    let answer = registry.ask(&format!("GET {path} HTTP/1.1"));
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.len()
}

/// Waits until the metric has this value; a client may have its answer before that is counted.
fn says(registry: &Running, name: &str, value: f64) {
    let said = || registry.metric(name).unwrap_or_default();
    eventually(|| said() >= value);
    assert_eq!(said(), value, "{name}");
}

// registry OB3
#[test]
fn requests_and_the_bytes_of_their_bodies_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let registry = serve(folder.path(), "storage: {inmemory: {}}\n");
    let blob = push(&registry, &"x".repeat(1_000));
    let mut sent = get(&registry, &blob, 200);
    assert_eq!(sent, 1_000);
    sent += get(&registry, &blob, 200);
    sent += get(&registry, "/v2/n/manifests/never", 404);
    says(&registry, "registry_http_received_bytes_total", 1_000.0);
    says(&registry, "registry_http_sent_bytes_total", sent as f64);
    for (route, method, status, count) in
        [("uploads", "POST", 201, 1.0), ("blob", "GET", 200, 2.0), ("manifest", "GET", 404, 1.0)]
    {
        let labels = format!("{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}");
        says(&registry, &format!("registry_http_requests_total{labels}"), count);
        says(&registry, &format!("registry_http_request_duration_seconds_count{{route=\"{route}\"}}"), count);
    }
}

// registry OB3
#[test]
fn a_request_takes_from_its_first_header_to_its_last_byte() {
    let folder = tempfile::tempdir().unwrap();
    let registry = serve(folder.path(), "storage: {inmemory: {}}\n");
    let location = begin(&registry);
    let began = Instant::now();
    let mut patch = half_a_patch(&registry, &location);
    let asked = Instant::now();
    let blob = push(&registry, "others are served meanwhile");
    for _ in 0..20 {
        get(&registry, &blob, 200);
    }
    let (held, metric) = (asked.elapsed(), "registry_http_request_duration_seconds");
    patch.write_all(b"def").unwrap();
    assert!(read_until(&mut patch, "\r\n\r\n").contains("HTTP/1.1 202 "));
    says(&registry, &format!("{metric}_count{{route=\"upload\"}}"), 1.0);
    let took = registry.metric(&format!("{metric}_sum{{route=\"upload\"}}")).unwrap();
    assert!((held.as_secs_f64()..=began.elapsed().as_secs_f64()).contains(&took), "{took}, and {held:?}");
    // Each bucket has what is no longer than it says.
    for (bucket, bound) in [("0.001", 0.001), ("0.02", 0.02), ("0.5", 0.5), ("60", 60.0)] {
        let within = registry.metric(&format!("{metric}_bucket{{route=\"upload\",le=\"{bucket}\"}}"));
        assert_eq!(within, Some(if took <= bound { 1.0 } else { 0.0 }), "{took} in {bucket}");
    }
}

// registry OB3 RC1
#[test]
fn what_the_cache_knew_and_what_it_did_not_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let registry = serve(folder.path(), "storage: {inmemory: {}, cache: {blobdescriptor: inmemory}}\n");
    let put = |tag: &str| {
        let answer = registry.ask(&format!("PUT /v2/n/manifests/{tag} HTTP/1.1\n\n{INDEX}"));
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    };
    let lookups = |result: &str| {
        registry.metric(&format!("registry_cache_lookups_total{{result=\"{result}\"}}")).unwrap_or_default()
    };
    put("t");
    // It is asked as soon as the server knows which store it is about.
    eventually(|| {
        get(&registry, "/v2/n/manifests/t", 200);
        lookups("hit") > 0.0
    });
    let blob = push(&registry, "layer");
    for (path, hits, misses) in [
        ("/v2/n/manifests/t", 1.0, 0.0),
        (&*blob, 0.0, 1.0),
        (&blob, 1.0, 0.0),
        ("/v2/n/tags/list", 0.0, 0.0),
        ("/v2/n/manifests/never", 0.0, 0.0),
    ] {
        let before = (lookups("hit"), lookups("miss"));
        get(&registry, path, if path.ends_with("never") { 404 } else { 200 });
        assert_eq!((lookups("hit") - before.0, lookups("miss") - before.1), (hits, misses), "{path}");
    }
}

// registry OB3 TL7
#[test]
fn a_metric_says_when_the_certificate_in_use_ends_and_how_many_faults_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let write = |names: &[&str], year: i32| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = date_time_ymd(year, 2, 3);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        // The server takes a pair over when both fit.
        fs::write(folder.path().join("key"), key.serialize_pem()).unwrap();
        fs::write(folder.path().join("crt"), certificate.pem()).unwrap();
    };
    let says = |registry: &Running, year: i32, weaknesses: f64| {
        let ends: Timestamp = format!("{year}-02-03T00:00:00Z").parse().unwrap();
        let ends = ends.as_second() as f64;
        eventually(|| registry.metric("registry_tls_certificate_expiry_timestamp_seconds") == Some(ends));
        assert_eq!(registry.metric("registry_tls_certificate_weaknesses"), Some(weaknesses), "{year}");
    };
    // Without a name, and expired: it is served all the same.
    write(&[], 2020);
    let registry =
        serve(folder.path(), "storage: {inmemory: {}}\nhttp: {tls: {certificate: crt, key: key}}\n");
    says(&registry, 2020, 2.0);
    write(&["localhost"], 2099);
    says(&registry, 2099, 0.0);
}

// registry OB3 OB8
#[test]
fn each_line_that_the_audit_log_loses_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let registry = serve(folder.path(), "storage: {inmemory: {}}\nlog: {audit: {file: /dev/full}}\n");
    let lost = "registry_audit_errors_total";
    assert_eq!(registry.metric(lost), None);
    for lines in [1.0, 2.0] {
        let answer = registry.ask(&format!("PUT /v2/n/manifests/t HTTP/1.1\n\n{INDEX}"));
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        // What is read is not written down, and so is not lost.
        get(&registry, "/v2/n/manifests/t", 200);
        says(&registry, lost, lines);
    }
}
