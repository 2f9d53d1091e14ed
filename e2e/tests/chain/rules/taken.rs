//! Unusual objects that mean what they seem to mean, and what `kubectl` tells of them.

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{manifest, settled},
    process::{run, run_with_input},
    registry::Registry,
};

use super::{refused, whole};

// operator 84: an explicit null means absence
#[test]
fn explicit_nulls_are_absence() -> Result<()> {
    let namespace = Namespace::create("e2e-nulls")?;
    let nulls = "image: null, logging: null, cache: {memory: {maxSize: null}}, tls: null, auth: null, exposure: null, networkPolicy: null, \
                 limits: {maxBlobSize: null, maxManifestSize: null, uploadExpiry: null}, pod: null, drainTimeout: null";
    apply(
        namespace.name(),
        &manifest("team", &format!("{{storage: {{ephemeral: {{}}, filesystem: null}}, {nulls}}}")),
    )?;
    settled(namespace.name(), "team")?;
    let object = get(namespace.name(), &["preg", "team"])?;
    ensure!(object["spec"]["drainTimeout"] == "5m", "{}", object["spec"]);
    Ok(())
}

// Quantities are numbers to many people: without quotes they are integers, and mean the same.
#[test]
fn numbers_without_quotes_are_quantities() -> Result<()> {
    let namespace = Namespace::create("e2e-numbers")?;
    let numbers = "storage: {filesystem: {size: 1073741824}}, limits: {maxBlobSize: 5000000, maxManifestSize: 1048576}, \
                   cache: {redis: {managed: {maxMemory: 16777216, resources: {limits: {memory: 67108864}}}}}, \
                   pod: {resources: {limits: {cpu: 1}}}";
    apply(namespace.name(), &manifest("team", &whole(numbers)))?;
    settled(namespace.name(), "team")?;
    let smaller = numbers.replace("1073741824", "1073741823");
    refused(namespace.name(), "team", &smaller, "size cannot shrink: a volume can only grow")?;
    let registry = Registry::ready(namespace.name(), "team")?;
    ensure!(registry.status_of("/v2/", "admin", &registry.password)? == "200", "it no longer serves");
    Ok(())
}

// operator 114: what a person sees at a glance
#[test]
fn kubectl_tells_at_a_glance() -> Result<()> {
    let namespace = Namespace::create("e2e-columns")?;
    apply(namespace.name(), &manifest("team", "{storage: {ephemeral: {}}, cache: {none: {}}}"))?;
    settled(namespace.name(), "team")?;
    let wide = run(&mut kubectl(&["-n", namespace.name(), "get", "preg", "-o", "wide"]))?;
    let (head, line) = wide.split_once('\n').unwrap_or_default();
    for column in ["READY", "REASON", "URL", "STORAGE", "REPLICAS", "AGE", "CERT-UNTIL", "VERSION"] {
        ensure!(head.contains(column), "no {column} in {head}");
    }
    for word in ["True", "AllReady", "https://team-registry.e2e-columns.svc", "ephemeral", "20"] {
        ensure!(line.contains(word), "no {word} in {line}");
    }
    let described = run(&mut kubectl(&["-n", namespace.name(), "describe", "preg", "team"]))?;
    ensure!(described.contains("CertificateIssued") && described.contains("Status:"), "{described}");
    Ok(())
}

// The examples of this repository are taken by the API server as they are.
#[test]
fn every_example_is_valid() -> Result<()> {
    let namespace = Namespace::create("e2e-examples")?;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let manifest = std::fs::read_to_string(entry?.path())?;
        let dry = ["-n", namespace.name(), "apply", "--dry-run=server", "--validate=strict", "-f", "-"];
        run_with_input(&mut kubectl(&dry), &manifest)?;
        count += 1;
    }
    ensure!(count >= 3, "only {count} examples");
    Ok(())
}
