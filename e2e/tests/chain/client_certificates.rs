//! Clients that show a certificate, and have no password.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, ensure};
use e2e::{
    authority::Authority,
    kubectl::apply,
    namespace::Namespace,
    object::{patch, settled, until},
    process::{eventually, run},
    registry::{Registry, hello_layout},
};
use rcgen::{CertificateParams, SanType};
use serde_json::json;
use tempfile::TempDir;

use crate::clients::six_line_registry;

const MANIFEST: &str = "/v2/team/hello/manifests/1";
const JOB: &str = "spiffe://example.com/ci/job";

/// Certificate and key of a client of that URI, in one file.
fn client(authority: &Authority, folder: &TempDir, uri: &str) -> Result<PathBuf> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(uri.try_into()?)];
    let file = folder.path().join(uri.replace([':', '/'], "-"));
    let (certificate, key) = authority.signed(&params)?;
    fs::write(&file, certificate + &key)?;
    Ok(file)
}

/// The ConfigMap that the object names.
fn publish(namespace: &str, text: &str) -> Result<()> {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "build-ca"},
        "data": {"ca.crt": text}});
    apply(namespace, &map.to_string()).map(drop)
}

/// Status of a request that shows the certificate, and nothing else. A client whose certificate is refused gets none.
fn status(registry: &Registry, file: &Path, method: &str, path: &str) -> Result<String> {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", "-X", method]);
    let curl = curl.arg("--cert").arg(file).arg("--cacert").arg(registry.ca_file());
    run(curl.arg(format!("https://{}{path}", registry.address)))
}

// registry TL4: a job pushes and pulls with nothing but its certificate; a new CA is taken over, and a bad one is not
#[test]
fn certificates_of_clients_count_as_a_login() -> Result<()> {
    let namespace = Namespace::create("e2e-mtls")?;
    let registry = six_line_registry(namespace.name())?;
    run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference("team/hello:1")]))?;
    let (first, second, folder) = (Authority::new()?, Authority::new()?, tempfile::tempdir()?);
    publish(namespace.name(), &first.pem())?;
    let spec = json!({"tls": {"clientCARef": {"name": "build-ca"}}, "auth": {"access": [
        {"subjects": ["user:admin"], "repositories": ["**"], "actions": ["Pull", "Push"]},
        {"subjects": [format!("cert:{JOB}")], "repositories": ["team/**"], "actions": ["Pull", "Push"]}]}});
    patch(namespace.name(), "team", &spec.to_string())?;
    settled(namespace.name(), "team")?;
    let (job, other) =
        (client(&first, &folder, JOB)?, client(&first, &folder, "spiffe://example.com/ci/other")?);
    ensure!(status(&registry, &job, "GET", MANIFEST)? == "200", "the job may not pull");
    ensure!(status(&registry, &job, "POST", "/v2/team/new/blobs/uploads/")? == "202", "the job may not push");
    ensure!(status(&registry, &job, "GET", "/v2/other/hello/manifests/1")? == "403", "the job may do more");
    ensure!(status(&registry, &other, "GET", MANIFEST)? == "403", "another client of the CA");
    ensure!(registry.status_of(MANIFEST, "admin", &registry.password)? == "200", "passwords");
    ensure!(registry.status_of(MANIFEST, "", "")? == "401", "without certificate and password");

    let pods = registry.pods()?;
    publish(namespace.name(), &second.pem())?;
    settled(namespace.name(), "team")?;
    let of_second = tempfile::tempdir()?;
    let new = client(&second, &of_second, JOB)?;
    eventually(Duration::from_secs(120), "the registry to know the new CA", || {
        Ok((status(&registry, &new, "GET", MANIFEST)? == "200").then_some(()))
    })?;
    ensure!(status(&registry, &job, "GET", MANIFEST).is_err(), "the former CA still counts");
    publish(namespace.name(), "none")?;
    let said = until(namespace.name(), "team", "CredentialsReady", "False/IssuerUnavailable")?;
    ensure!(said.contains("build-ca") && said.contains("no readable certificate"), "{said}");
    ensure!(status(&registry, &new, "GET", MANIFEST)? == "200", "the last good CA is gone");
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}
