//! A load balancer before the registry.

use std::{process::Command, time::Duration};

use anyhow::{Result, ensure};
use e2e::{
    kubectl::get,
    namespace::Namespace,
    object::{apply_object, patch_any, until},
    process::{eventually, run},
    registry::Registry,
};

/// An address for documentation (RFC 5737): nobody has it, so what is sent there is turned to the Service by hand.
const ADDRESS: &str = "198.51.100.7";

/// Status code of the registry, reached under the balancer's address with its CA checked.
fn status_at(registry: &Registry) -> Result<String> {
    let turned = format!("{ADDRESS}:443:{}:443", registry.address);
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", "--connect-to", &turned]);
    run(curl.arg("--cacert").arg(registry.ca_file()).arg(format!("https://{ADDRESS}/v2/")))
}

// operator 88: the address that a cloud gives is waited for, told, and in the certificate; what the cloud keeps on the
// Service stays
#[test]
fn the_address_of_a_load_balancer_is_told_and_trusted() -> Result<()> {
    let namespace = Namespace::create("e2e-balancer")?;
    apply_object(
        namespace.name(),
        "team",
        "{storage: {ephemeral: {}}, cache: {none: {}}, exposure: {service: {type: LoadBalancer}}}",
    )?;
    until(namespace.name(), "team", "Ready", "False/LoadBalancerPending")?;
    // What a cloud's controller does.
    let service = ["service", "team-registry"];
    patch_any(namespace.name(), &service, r#"{"metadata": {"annotations": {"cloud.example.com/id": "7"}}}"#)?;
    let given = format!(r#"{{"status": {{"loadBalancer": {{"ingress": [{{"ip": "{ADDRESS}"}}]}}}}}}"#);
    patch_any(namespace.name(), &["service", "team-registry", "--subresource=status"], &given)?;

    let registry = Registry::ready(namespace.name(), "team")?;
    let object = get(namespace.name(), &["preg", "team"])?;
    let endpoints = object["status"]["endpoints"].to_string();
    ensure!(endpoints.contains(&format!("https://{ADDRESS}")), "{endpoints}");
    eventually(Duration::from_secs(90), "a certificate for the address", || {
        Ok((status_at(&registry)? == "401").then_some(()))
    })?;
    let kept = get(namespace.name(), &service)?;
    ensure!(kept["metadata"]["annotations"]["cloud.example.com/id"] == "7", "{}", kept["metadata"]);
    Ok(())
}
