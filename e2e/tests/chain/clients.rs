//! Real clients: login, push, pull, list, delete; passwords right and wrong.

use std::path::Path;

use anyhow::{Result, ensure};
use e2e::{
    kubectl::apply,
    layout::contents,
    namespace::Namespace,
    process::{must_fail, run, run_with_input},
    registry::{Registry, hello_layout},
};

/// The object of the README, unchanged.
pub const SIX_LINES: &str = include_str!("../../../examples/minimal.yaml");

/// The six-line registry in `namespace`, Ready, with crane and skopeo logged in.
pub fn six_line_registry(namespace: &str) -> Result<Registry> {
    apply(namespace, SIX_LINES)?;
    let registry = Registry::ready(namespace, "team")?;
    registry.log_in("admin", &registry.password)?;
    Ok(registry)
}

#[test]
fn crane_and_skopeo_push_pull_list_and_delete() -> Result<()> {
    let namespace = Namespace::create("e2e-clients")?;
    let registry = six_line_registry(namespace.name())?;
    let image = registry.reference("team/hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;

    let pushed = run(&mut registry.crane(&["manifest", &image]))?;
    let copy = registry.reference("team/copy:1");
    let (from, to) = (format!("docker://{image}"), format!("docker://{copy}"));
    run(&mut registry.skopeo(&["copy", "--preserve-digests", &from, &to]))?;
    let digest = run(&mut registry.crane(&["digest", &image]))?;
    ensure!(digest == run(&mut registry.crane(&["digest", &copy]))?, "skopeo's copy has another digest");
    ensure!(
        pushed == run(&mut registry.skopeo(&["inspect", "--raw", &to]))?,
        "the manifest changed on its way"
    );

    let blobs = tempfile::tempdir()?;
    for (place, reference) in [("first", &image), ("copy", &copy)] {
        run(registry.crane(&["pull", "--format=oci", reference]).arg(blobs.path().join(place)))?;
    }
    let source = contents(Path::new(&hello_layout()?))?;
    ensure!(source.keys().any(|name| digest.trim() == format!("sha256:{name}")), "{digest} is another image");
    for place in ["first", "copy"] {
        ensure!(
            contents(&blobs.path().join(place))? == source,
            "{place} is not byte for byte what was pushed"
        );
    }

    let listed =
        run(&mut registry.skopeo(&["list-tags", &format!("docker://{}", registry.reference("team/copy"))]))?;
    let listed: serde_json::Value = serde_json::from_str(&listed)?;
    ensure!(listed["Tags"] == serde_json::json!(["1"]), "skopeo lists {listed}");
    ensure!(run(&mut registry.crane(&["ls", &registry.reference("team/hello")]))?.trim() == "1", "tags");
    let catalog = run(&mut registry.crane(&["catalog", &registry.address]))?;
    ensure!(catalog.lines().eq(["team/copy", "team/hello"]), "catalog: {catalog}");
    run(&mut registry.crane(&["delete", &copy]))?;
    must_fail(&mut registry.crane(&["manifest", &copy]))?;
    run(&mut registry.crane(&["manifest", &image]))?;
    run(&mut registry.skopeo(&["copy", "--preserve-digests", &from, &to]))?;
    run(&mut registry.skopeo(&["delete", &to]))?;
    must_fail(&mut registry.skopeo(&["inspect", "--raw", &to])).map(drop)
}

#[test]
fn wrong_and_missing_passwords_are_refused() -> Result<()> {
    let namespace = Namespace::create("e2e-passwords")?;
    let registry = six_line_registry(namespace.name())?;
    for (user, password) in [("admin", "wrong"), ("nobody", &registry.password), ("", "")] {
        ensure!(registry.status_of("/v2/", user, password)? == "401", "{user:?} was not refused");
    }
    ensure!(registry.status_of("/v2/", "admin", &registry.password)? == "200", "the right one was refused");
    let login = ["login", "-u", "admin", "--password-stdin", &registry.address];
    ensure!(
        run_with_input(&mut registry.skopeo(&login), "wrong").is_err(),
        "skopeo logged in with a wrong password"
    );
    Ok(())
}
