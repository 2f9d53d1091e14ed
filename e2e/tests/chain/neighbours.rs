//! What a pod next door can reach: the public port, and nothing else.

use anyhow::{Context, Result};
use e2e::{
    kubectl::{apply, get, wait},
    namespace::Namespace,
};

use crate::clients::six_line_registry;

/// A pod that ends well when it reaches `host:port` over TCP, and badly when it does not.
fn dial(name: &str, host: &str, port: u16) -> String {
    format!(
        r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "{name}"}}, "spec": {{"restartPolicy": "Never",
  "automountServiceAccountToken": false,
  "securityContext": {{"runAsNonRoot": true, "seccompProfile": {{"type": "RuntimeDefault"}}}},
  "containers": [{{"name": "dial", "image": "localhost/hello:dev", "imagePullPolicy": "IfNotPresent",
    "args": ["dial", "{host}", "{port}"],
    "securityContext": {{"allowPrivilegeEscalation": false, "capabilities": {{"drop": ["ALL"]}}}}}}]}}}}"#
    )
}

// operator 101 (admin port), seed S8
#[test]
fn a_neighbour_reaches_the_public_port_and_not_the_admin_port() -> Result<()> {
    let (tools, apps) = (Namespace::create("e2e-firewall")?, Namespace::create("e2e-neighbour")?);
    let registry = six_line_registry(tools.name())?;
    let admin = get(tools.name(), &["service", "team-admin"])?;
    let admin = admin["spec"]["clusterIP"].as_str().context("no address")?;

    apply(apps.name(), &dial("public", &registry.address, 443))?;
    wait(apps.name(), "pod/public", "jsonpath={.status.phase}=Succeeded", 60)?;
    apply(apps.name(), &dial("admin", admin, 5001))?;
    wait(apps.name(), "pod/admin", "jsonpath={.status.phase}=Failed", 60)?;
    apply(tools.name(), &dial("inside", admin, 5001))?;
    wait(tools.name(), "pod/inside", "jsonpath={.status.phase}=Succeeded", 60).map(drop)
}
