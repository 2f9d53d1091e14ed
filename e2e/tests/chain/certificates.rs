//! Certificates: renewed under load, replaced by one's own, and never by a bad one.

use std::{fs, path::Path, process::Command, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use e2e::{
    authority::Authority,
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{apply_object, patch, settled, until},
    process::{eventually, run},
    registry::{Registry, answers},
};

use crate::clients::six_line_registry;

const PROMISE: Duration = Duration::from_secs(90);

/// Text of the certificate that `address` serves.
fn served(address: &str) -> Result<String> {
    let target = format!("{address}:443");
    let chain = run(Command::new("openssl")
        .args(["s_client", "-connect", &target, "-servername", "x"])
        .stdin(std::process::Stdio::null()))?;
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), chain)?;
    run(Command::new("openssl").args(["x509", "-noout", "-text", "-in"]).arg(file.path()))
}

// operator 9, operator 41: a new name makes a new certificate, which running pods take over
#[test]
fn a_new_certificate_is_served_without_a_failed_request() -> Result<()> {
    let namespace = Namespace::create("e2e-rotation")?;
    let registry = Arc::new(six_line_registry(namespace.name())?);
    let pods = registry.pods()?;
    let load = answers(&registry);
    patch(namespace.name(), "team", r#"{"exposure": {"hostnames": ["registry.example.com"]}}"#)?;
    eventually(PROMISE, "the new name in the served certificate", || {
        Ok(served(&registry.address)?.contains("DNS:registry.example.com").then_some(()))
    })?;
    let made = load.finish()?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    let object = settled(namespace.name(), "team")?;
    ensure!(object["status"]["url"] == "https://registry.example.com", "{}", object["status"]["url"]);
    println!("{made} requests, none failed");
    Ok(())
}

/// A key and a certificate of one's own for `name`, made by openssl.
fn make(folder: &Path, stem: &str, name: &str, algorithm: &[&str], more: &[&str]) -> Result<()> {
    let (key, certificate) = (folder.join(format!("{stem}.key")), folder.join(format!("{stem}.crt")));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-nodes", "-subj", &format!("/CN={name}")]).args(algorithm).args(more);
    run(openssl.arg("-keyout").arg(key).arg("-out").arg(certificate)).map(drop)
}

fn put(namespace: &str, folder: &Path, certificate: &str, key: &str) -> Result<()> {
    let read = |stem: &str, end: &str| fs::read_to_string(folder.join(format!("{stem}.{end}")));
    let object = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "own"}, "stringData": {
            "tls.crt": read(certificate, "crt")?, "tls.key": read(key, "key")?, "ca.crt": read("good", "crt")?}});
    apply(namespace, &object.to_string()).map(drop)
}

/// A certificate whose time was over years ago: openssl makes none.
fn make_expired(folder: &Path, name: &str) -> Result<()> {
    let key = rcgen::KeyPair::generate()?;
    let mut params = rcgen::CertificateParams::new([name.to_owned()])?;
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    fs::write(folder.join("expired.crt"), params.self_signed(&key)?.pem())?;
    fs::write(folder.join("expired.key"), key.serialize_pem())?;
    Ok(())
}

/// A certificate without extensions, as tools of long ago made them.
fn make_of_version_1(folder: &Path, name: &str) -> Result<()> {
    let path = |end: &str| folder.join(format!("old.{end}"));
    let mut request = Command::new("openssl");
    request.args(["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    run(request
        .args(["-subj", &format!("/CN={name}")])
        .arg("-keyout")
        .arg(path("key"))
        .arg("-out")
        .arg(path("csr")))?;
    let mut sign = Command::new("openssl");
    sign.args(["x509", "-req", "-days", "30", "-in"]).arg(path("csr")).arg("-signkey").arg(path("key"));
    run(sign.arg("-out").arg(path("crt"))).map(drop)
}

/// Puts a new key and certificate for `names` into Secret `own`.
fn renew(authority: &Authority, namespace: &str, names: &[String]) -> Result<()> {
    let (certificate, key) = authority.pair(names)?;
    let object = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "own"},
        "stringData": {"tls.crt": certificate, "tls.key": key, "ca.crt": authority.pem()}});
    apply(namespace, &object.to_string()).map(drop)
}

// operator 9, operator 93: a renewed certificate of one's own, with a new key
#[test]
fn a_renewed_certificate_of_ones_own_is_served_without_a_failed_request() -> Result<()> {
    let namespace = Namespace::create("e2e-renewed")?;
    apply_object(namespace.name(), "team", "{storage: {ephemeral: {}}, tls: {secretRef: {name: own}}}")?;
    let address = eventually(PROMISE, "the Service", || {
        let service = get(namespace.name(), &["service", "team-registry"])?;
        Ok(service["spec"]["clusterIP"].as_str().map(str::to_owned))
    })?;
    let names = [format!("team-registry.{}.svc", namespace.name()), address.clone()];
    let authority = Authority::new()?;
    renew(&authority, namespace.name(), &names)?;
    settled(namespace.name(), "team")?;
    let registry = Arc::new(Registry::ready(namespace.name(), "team")?);
    let (first, pods) = (served(&address)?, registry.pods()?);
    let load = answers(&registry);
    renew(&authority, namespace.name(), &names)?;
    eventually(PROMISE, "the renewed certificate", || Ok((served(&address)? != first).then_some(())))?;
    let made = load.finish()?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    println!("{made} requests, none failed");
    Ok(())
}

// operator 92, operator 13, seed D12: each bad certificate is named, and the last good one is served
#[test]
fn a_bad_certificate_of_ones_own_never_replaces_a_good_one() -> Result<()> {
    let namespace = Namespace::create("e2e-own-tls")?;
    apply_object(namespace.name(), "team", "{storage: {ephemeral: {}}, tls: {secretRef: {name: own}}}")?;
    let said = until(namespace.name(), "team", "CertificateReady", "False/SecretNotFound")?;
    ensure!(said.contains("own") && said.contains("tls.crt"), "{said}");

    let folder = tempfile::tempdir()?;
    let host = format!("team-registry.{}.svc", namespace.name());
    let service = get(namespace.name(), &["service", "team-registry"])?;
    let address = service["spec"]["clusterIP"].as_str().unwrap_or_default().to_owned();
    let san = format!("subjectAltName=DNS:{host},IP:{address}");
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    let month = ["-days", "30", "-addext"];
    make(folder.path(), "good", &host, &curve, &[&month[..], &[&san]].concat())?;
    make(folder.path(), "weak", &host, &["-newkey", "rsa:1024"], &[&month[..], &[&san]].concat())?;
    let stranger = "subjectAltName=DNS:other.example.com";
    make(folder.path(), "other", &host, &curve, &[&month[..], &[stranger]].concat())?;
    make(folder.path(), "nameless", &host, &curve, &["-days", "30"])?;
    make_expired(folder.path(), &host)?;
    make_of_version_1(folder.path(), &host)?;

    put(namespace.name(), folder.path(), "good", "good")?;
    settled(namespace.name(), "team")?;
    let registry = Registry::ready(namespace.name(), "team")?;
    let (good, pods) = (served(&registry.address)?, registry.pods()?);
    let trust = get(namespace.name(), &["configmap", "team-trust"])?;
    ensure!(
        trust["data"]["ca.crt"] == fs::read_to_string(folder.path().join("good.crt"))?,
        "another CA is published"
    );

    for (certificate, key, reason, word) in [
        ("weak", "weak", "KeyTooWeak", "1024"),
        ("other", "other", "HostnameNotCovered", host.as_str()),
        ("nameless", "nameless", "HostnameNotCovered", host.as_str()),
        ("good", "other", "KeyMismatch", "tls.key"),
        ("expired", "expired", "Expired", "expired"),
        ("old", "old", "ChainInvalid", "v1"),
    ] {
        put(namespace.name(), folder.path(), certificate, key)?;
        let said = until(namespace.name(), "team", "CertificateReady", &format!("False/{reason}"))?;
        ensure!(said.contains(word), "{reason}: {said}");
        ensure!(served(&registry.address)? == good, "{reason}: another certificate is served");
    }
    run(&mut kubectl(&["-n", namespace.name(), "delete", "secret", "own"]))?;
    until(namespace.name(), "team", "CertificateReady", "False/SecretNotFound")?;
    ensure!(served(&registry.address)? == good, "another certificate is served");
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}
