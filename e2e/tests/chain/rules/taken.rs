//! Unusual objects that mean what they seem to mean.

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl, wait},
    namespace::Namespace,
    object::{condition, manifest, patch, patch_any, settled, until},
    process::{run, run_with_input},
    registry::Registry,
};

use super::{refused, tables::whole};

// operator 84: an explicit null means absence to the operator, too, also where the API server keeps it
#[test]
fn explicit_nulls_are_absence() -> Result<()> {
    let namespace = Namespace::create("e2e-nulls")?;
    let nulls = "image: null, logging: null, tls: null, auth: null, exposure: null, networkPolicy: null, \
                 limits: {maxBlobSize: null, maxManifestSize: null, uploadExpiry: null}, pod: null, drainTimeout: null";
    let storage = "storage: {ephemeral: {}, filesystem: null}";
    for (name, cache) in
        [("team", "{memory: {maxSize: null}}"), ("other", "{redis: {managed: {maxMemory: null}}}")]
    {
        apply(namespace.name(), &manifest(name, &format!("{{{storage}, cache: {cache}, {nulls}}}")))?;
    }
    apply(namespace.name(), &manifest("plain", "{storage: {ephemeral: {}}, cache: {memory: {}}}"))?;
    let object = settled(namespace.name(), "team")?;
    ensure!(object["spec"]["drainTimeout"] == "5m", "{}", object["spec"]);
    settled(namespace.name(), "other")?;
    settled(namespace.name(), "plain")?;
    for name in ["team", "other"] {
        let live = |name: &str| get(namespace.name(), &["configmap", &format!("{name}-live")]);
        ensure!(live(name)?["data"] == live("plain")?["data"], "{name}: {}", live(name)?["data"]);
    }
    Ok(())
}

// Quantities are numbers to many people: without quotes they are integers, and mean the same.
#[test]
fn numbers_without_quotes_are_quantities() -> Result<()> {
    let namespace = Namespace::create("e2e-numbers")?;
    let numbers = "storage: {filesystem: {size: 1073741824}}, limits: {maxBlobSize: 5000000, maxManifestSize: 1048576}, \
                   cache: {redis: {managed: {maxMemory: 16777216, resources: {limits: {memory: 67108864}}}}}, \
                   pod: {resources: {limits: {cpu: 1}, requests: {cpu: 10m}}}"; // a whole one is not always free
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
    let short = run(&mut kubectl(&["-n", namespace.name(), "get", "preg"]))?;
    let columns: Vec<&str> = short.lines().next().unwrap_or_default().split_whitespace().collect();
    ensure!(columns == ["NAME", "READY", "REASON", "URL", "STORAGE", "REPLICAS", "AGE"], "{columns:?}");
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

// operator 114: who waits for a change is not told that all is well before it was carried out
#[test]
fn kubectl_waits_for_the_current_generation() -> Result<()> {
    let namespace = Namespace::create("e2e-wait")?;
    apply(namespace.name(), &manifest("team", "{storage: {ephemeral: {}}, cache: {none: {}}}"))?;
    settled(namespace.name(), "team")?;
    let ready = |seconds| wait(namespace.name(), "preg/team", "condition=Ready", seconds);
    ready(1)?;
    let pause = |value: &str| {
        let patch =
            format!(r#"{{"metadata": {{"annotations": {{"privateregistry.dev/paused": {value}}}}}}}"#);
        patch_any(namespace.name(), &["preg", "team"], &patch)
    };
    // An operator that looks, and writes nothing.
    pause("\"true\"")?;
    patch(namespace.name(), "team", r#"{"logging": {"level": "Debug"}}"#)?;
    until(namespace.name(), "team", "Progressing", "False/Paused")?;
    let (now, _) = condition(namespace.name(), "team", "Ready")?;
    ensure!(now == "True/AllReady", "the pods that are there are {now}");
    ensure!(ready(1).is_err(), "what nobody has carried out is Ready");
    pause("null")?;
    ready(60)?;
    let live = get(namespace.name(), &["configmap", "team-live"])?;
    let text = live["data"]["live.yml"].as_str().unwrap_or_default();
    ensure!(text.contains("debug"), "Ready, and not carried out: {text}");
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
