//! Charts are OCI artifacts: helm keeps them in the registry.

use std::{fs, path::Path, process::Command};

use anyhow::{Result, ensure};
use e2e::{
    namespace::Namespace,
    process::{must_fail, run, run_with_input},
    registry::Registry,
};

use crate::clients::six_line_registry;

/// `helm ARGS…` with the registry's CA and its own credentials.
fn helm(registry: &Registry, home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("helm");
    command.args(args).arg("--ca-file").arg(registry.ca_file());
    command.env("HELM_REGISTRY_CONFIG", home.join("credentials.json")).env("HELM_CACHE_HOME", home);
    command
}

#[test]
fn helm_pushes_shows_and_pulls_charts() -> Result<()> {
    let namespace = Namespace::create("e2e-charts")?;
    let registry = six_line_registry(namespace.name())?;
    let home = tempfile::tempdir()?;
    let (chart, pulled) = (home.path().join("hello"), home.path().join("pulled"));
    run(Command::new("helm").arg("create").arg(&chart))?;
    run(Command::new("helm").args(["package", "--destination"]).arg(home.path()).arg(&chart))?;
    let package = home.path().join("hello-0.1.0.tgz");
    let (charts, reference) =
        (format!("oci://{}/charts", registry.address), format!("oci://{}/charts/hello", registry.address));

    must_fail(helm(&registry, home.path(), &["push"]).arg(&package).arg(&charts))?;
    let login = ["registry", "login", &registry.address, "-u", "admin", "--password-stdin"];
    must_fail(&mut helm(&registry, home.path(), &login))?;
    run_with_input(&mut helm(&registry, home.path(), &login), &registry.password)?;
    run(helm(&registry, home.path(), &["push"]).arg(&package).arg(&charts))?;
    let shown = run(&mut helm(&registry, home.path(), &["show", "chart", &reference, "--version", "0.1.0"]))?;
    ensure!(shown.contains("name: hello"), "{shown}");
    fs::create_dir(&pulled)?;
    let into = format!("--destination={}", pulled.display());
    run(&mut helm(&registry, home.path(), &["pull", &reference, "--version", "0.1.0", &into]))?;
    ensure!(fs::read(&package)? == fs::read(pulled.join("hello-0.1.0.tgz"))?, "the chart changed on its way");
    let tags = run(&mut registry.crane(&["ls", &registry.reference("charts/hello")]))?;
    ensure!(tags.trim() == "0.1.0", "{tags}");
    Ok(())
}
