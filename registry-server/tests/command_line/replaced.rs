//! Section 13, TL3 and TL7: what the log and the metrics say of a certificate that clients refuse, and of one that takes
//! the place of another.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::running::{Running, eventually};

const ERRORS: &str = "registry_reload_errors_total{file=\"tls\"}";
const ACCOUNT: &str = "dev:{SHA}dR6xbZ1gQLunYuitWAujQx3sL88=\n";
const REFUSED: &str = "new certificate refused";

/// A certificate of its own and its key.
fn pair(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> [String; 2] {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_after = date_time_ymd(2099, 1, 1);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    [params.self_signed(&key).unwrap().pem(), key.serialize_pem()]
}

/// Both in one file and in one step: else there would be a key for a moment that is not the certificate's.
fn write(folder: &Path, [certificate, key]: &[String; 2]) {
    fs::write(folder.join("next"), certificate.clone() + key).unwrap();
    fs::rename(folder.join("next"), folder.join("pair")).unwrap();
}

fn serve(folder: &Path) -> Running {
    let text = "storage: {inmemory: {}}\nhttp: {tls: {certificate: pair, key: pair}}\n\
                auth: {htpasswd: {path: htpasswd}}\nlog: {accesslog: {disabled: true}}\n";
    fs::write(folder.join("c.yml"), text).unwrap();
    fs::write(folder.join("htpasswd"), ACCOUNT).unwrap();
    Running::start(folder, &["c.yml"])
}

fn errors(running: &Running) -> f64 {
    running.metric(ERRORS).unwrap_or_default()
}

/// Waits until files that are looked at as often as certificates have been looked at twice.
fn two_looks(running: &Running, folder: &Path) {
    let unusable = "registry_htpasswd_unusable_lines";
    for (more, lines) in [("a:plain\n", 1.0), ("", 0.0)] {
        fs::write(folder.join("htpasswd"), format!("{ACCOUNT}{more}")).unwrap();
        eventually(|| running.metric(unusable) == Some(lines));
    }
}

// registry TL3: each error once, however often the files are looked at meanwhile
#[test]
fn a_bad_replacement_is_told_and_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let good = pair(&["localhost"], |_| ());
    write(at, &good);
    let running = serve(at);
    eventually(|| running.admin("/livez").starts_with("HTTP/1.1 200 "));
    let mismatch = [good[0].clone(), pair(&["localhost"], |_| ())[1].clone()];
    let garbage = [good[0].clone(), "garbage".to_owned()];
    for (bad, counted) in [(mismatch, 1.0), (garbage, 2.0)] {
        write(at, &bad);
        eventually(|| errors(&running) >= counted);
        two_looks(&running, at);
        assert_eq!(errors(&running), counted);
    }
    // It is looked at again and again, for its time will come.
    let begins = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(20);
    write(
        at,
        &pair(&["localhost"], |params| {
            params.not_before = date_time_ymd(1970, 1, 1) + begins;
            params.not_after = date_time_ymd(2098, 1, 1);
        }),
    );
    let ends = date_time_ymd(2098, 1, 1).unix_timestamp() as f64;
    eventually(|| running.metric("registry_tls_certificate_expiry_timestamp_seconds") == Some(ends));
    assert_eq!(errors(&running), 3.0);
    let (code, log) = running.end();
    assert_eq!((code, log.matches(REFUSED).count()), (Some(0), 3), "{log}");
    for reason in ["is not the key of", "key is not PEM", "it is not valid yet"] {
        assert_eq!(log.matches(reason).count(), 1, "{reason} in {log}");
    }
    assert_eq!(log.matches("new certificate\n").count(), 1, "{log}");
}

// registry TL7, seed D12
#[test]
fn what_clients_will_refuse_is_served_with_a_line_and_a_number() {
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    for (certificate, told) in [
        (pair(&["localhost"], |_| ()), vec![]),
        (pair(&[], |_| ()), vec!["it has no subjectAltName"]),
        (pair(&["localhost"], expired), vec!["it has expired"]),
        (pair(&[], expired), vec!["it has no subjectAltName", "it has expired"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &certificate);
        let running = serve(folder.path());
        let weaknesses = || running.metric("registry_tls_certificate_weaknesses");
        eventually(|| running.admin("/livez").starts_with("HTTP/1.1 200 "));
        assert_eq!(weaknesses(), Some(told.len() as f64));
        let (code, log) = running.end();
        assert_eq!(code, Some(0));
        assert_eq!(log.matches("clients will refuse the certificate").count(), told.len(), "{log}");
        for reason in told {
            assert_eq!(
                log.matches(&format!("clients will refuse the certificate: {reason}")).count(),
                1,
                "{log}"
            );
        }
    }
}
