//! The upstream OCI distribution-spec conformance suite, through the registry's Service.

use std::process::Command;

use anyhow::Result;
use e2e::{namespace::Namespace, process::run};

use crate::clients::six_line_registry;

// registry section 18, the 1.1 run
#[test]
fn the_upstream_conformance_suite_passes() -> Result<()> {
    let namespace = Namespace::create("e2e-conformance")?;
    let registry = six_line_registry(namespace.name())?;
    let results = tempfile::tempdir()?;
    let mut suite = Command::new("oci-conformance");
    suite.current_dir(results.path()).env("SSL_CERT_FILE", registry.ca_file()).env("OCI_VERSION", "1.1");
    suite.env("OCI_REGISTRY", &registry.address).env("OCI_TLS", "enabled");
    suite.env("OCI_USERNAME", "admin").env("OCI_PASSWORD", &registry.password);
    suite.env("OCI_REPO1", "conformance/one").env("OCI_REPO2", "conformance/two");
    run(&mut suite).map(drop)
}
