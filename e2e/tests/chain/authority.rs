//! The registry's own CA comes to its end, and clients that were told in time do not notice.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::get,
    load::Load,
    namespace::Namespace,
    object::{patch_any, settled},
    process::{eventually, run},
    registry::secret,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};

use crate::clients::six_line_registry;

const PROMISE: Duration = Duration::from_secs(90);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A CA of `key` as the operator makes them: all of one registry have one name.
fn authority(key: &KeyPair, days_old: u32, days_left: u32) -> Result<String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "team registry CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = (SystemTime::now() - days_old * DAY).into();
    params.not_after = (SystemTime::now() + days_left * DAY).into();
    Ok(params.self_signed(key)?.pem())
}

/// Writes keys and certificates into the CA's Secret.
fn put(namespace: &str, data: &serde_json::Value) -> Result<()> {
    let patch = serde_json::json!({"stringData": data});
    patch_any(namespace, &["secret", "team-ca"], &patch.to_string())
}

/// What is published for clients.
fn published(namespace: &str) -> Result<String> {
    let trust = get(namespace, &["configmap", "team-trust"])?;
    Ok(trust["data"]["ca.crt"].as_str().context("no ca.crt")?.to_owned())
}

/// A client that was given this bundle.
fn client(folder: &Path, name: &str, bundle: &str) -> Result<PathBuf> {
    let file = folder.join(name);
    fs::write(&file, bundle)?;
    Ok(file)
}

/// One request of a client with its bundle.
fn verifies(bundle: &Path, address: &str) -> Result<()> {
    let url = format!("https://{address}/v2/");
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-o", "/dev/null", "--max-time", "10", "--cacert"]).arg(bundle).arg(url);
    run(&mut curl).map(drop)
}

fn requests(bundle: &Path, address: &str) -> Load {
    let (bundle, address) = (bundle.to_owned(), address.to_owned());
    Load::start(move || verifies(&bundle, &address))
}

// operator 39: the successor is published first and signs later; both are published until the first one ends
#[test]
fn a_ca_near_its_end_is_succeeded_and_clients_that_were_told_verify_at_every_step() -> Result<()> {
    let (namespace, folder) = (Namespace::create("e2e-ca")?, tempfile::tempdir()?);
    let registry = six_line_registry(namespace.name())?;
    let (pods, address) = (registry.pods()?, registry.address.as_str());
    // A CA of which more than two thirds are over, where the one of today was.
    let key = KeyPair::generate()?;
    let first = authority(&key, 60, 20)?;
    put(namespace.name(), &serde_json::json!({"tls.crt": first, "tls.key": key.serialize_pem()}))?;
    let both = eventually(PROMISE, "a successor beside it", || {
        let bundle = published(namespace.name())?;
        Ok((bundle.contains(first.trim()) && bundle.matches("BEGIN").count() == 2).then_some(bundle))
    })?;
    let old = client(folder.path(), "old", &first)?;
    let new = client(folder.path(), "new", &both)?;
    eventually(PROMISE, "what it signed to be served", || verifies(&old, address).map(Some))?;
    let (old_requests, new_requests) = (requests(&old, address), requests(&new, address));
    settled(namespace.name(), "team")?;
    old_requests.finish().context("the old bundle while the successor is announced")?;

    // The day of the announcement is over when the successor's certificate says that it is a day old.
    let key = KeyPair::from_pem(&secret(namespace.name(), "team-ca", "next.key")?)?;
    let successor = authority(&key, 2, 3650)?;
    put(namespace.name(), &serde_json::json!({"next.crt": successor}))?;
    let alone = client(folder.path(), "successor", &successor)?;
    eventually(PROMISE, "what the successor signed to be served", || verifies(&alone, address).map(Some))?;
    new_requests.finish().context("the new bundle")?;
    let bundle = published(namespace.name())?;
    ensure!(bundle.contains(first.trim()) && bundle.contains(successor.trim()), "published: {bundle}");
    verifies(&client(folder.path(), "now", &bundle)?, address)?;
    registry.fetch_ca()?;
    run(&mut registry.crane(&["catalog", address]))?;
    let events = get(namespace.name(), &["events", "--field-selector=reason=CARotated"])?;
    // Both steps within minutes are a series of one Event.
    ensure!(events["items"][0]["series"]["count"] == 2, "{events}");
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}
