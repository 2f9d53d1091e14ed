//! The upstream OCI distribution-spec conformance suite, through the registry's Service. Its reports go to
//! `target/conformance/chain`, beside those of the server's own run, `make conformance`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use e2e::{namespace::Namespace, process::run, registry::Registry};

use crate::clients::six_line_registry;

/// The server's own run, which lists every switch of the suite, one a line.
const SERVERS_RUN: &str = include_str!("../../../registry-server/tests/http/conformance.rs");

/// Tries images and indexes of which a part was never pushed. The registry refuses such images, as distribution does, and the
/// object has no field that allows them; the server's own run has the switch on.
const OF_PARTS: &str = "OCI_DATA_SPARSE";

fn switches() -> impl Iterator<Item = (&'static str, &'static str)> {
    let listed = SERVERS_RUN.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","));
    let switches = listed.filter(|name| name.starts_with("OCI_API_") || name.starts_with("OCI_DATA_"));
    switches.map(|name| (name, if name == OF_PARTS { "false" } else { "true" }))
}

/// Runs the suite with this version of the specification, and gives its report and where it is.
fn suite(registry: &Registry, version: &str) -> Result<(String, PathBuf)> {
    let results = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../conformance/chain").join(version);
    if results.exists() {
        fs::remove_dir_all(&results)?;
    }
    let place = tempfile::tempdir()?;
    let mut suite = Command::new("oci-conformance");
    suite.current_dir(place.path()).envs(switches()).env("SSL_CERT_FILE", registry.ca_file());
    suite.env("OCI_VERSION", version).env("OCI_RESULTS_DIR", &results);
    suite.env("OCI_REGISTRY", &registry.address).env("OCI_TLS", "enabled");
    suite.env("OCI_USERNAME", "admin").env("OCI_PASSWORD", &registry.password);
    suite
        .env("OCI_REPO1", format!("conformance-{version}/one"))
        .env("OCI_REPO2", format!("conformance-{version}/two"));
    run(&mut suite).with_context(|| format!("see {}", results.display()))?;
    Ok((fs::read_to_string(results.join("junit.xml"))?, results))
}

/// The value of this attribute of the whole report; one that is 0 may be left out.
fn counted(report: &str, attribute: &str) -> Result<usize> {
    let (_, all) = report.split_once("<testsuites").context("no report")?;
    let all = all.split('>').next().unwrap_or_default();
    let Some((_, value)) = all.split_once(&format!(" {attribute}=\"")) else { return Ok(0) };
    Ok(value.split('"').next().unwrap_or_default().parse()?)
}

// registry section 18
#[test]
fn the_upstream_conformance_suite_passes() -> Result<()> {
    ensure!(switches().any(|(name, _)| name == OF_PARTS), "no switches in the server's own run");
    let namespace = Namespace::create("e2e-conformance")?;
    let registry = six_line_registry(namespace.name())?;
    for version in ["1.1", "dev"] {
        let (report, place) = suite(&registry, version)?;
        for bad in ["failures", "errors", "skipped", "disabled"] {
            let count = counted(&report, bad)?;
            ensure!(count == 0, "{version}: {bad}: {count}: see {}", place.display());
        }
        let tests = counted(&report, "tests")?;
        ensure!(tests > 500, "{version}: {tests} tests: see {}", place.display());
        println!("{version}: {tests} tests, all passed");
    }
    Ok(())
}
