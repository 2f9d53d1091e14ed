//! What the API server refuses at once, with the words that the user reads.

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, kubectl},
    namespace::Namespace,
    process::{must_fail, run},
};

/// A registry called `name` with `spec` as YAML flow.
fn object(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: privateregistry.dev/v1alpha1, kind: PrivateRegistry, metadata: {{name: {name:?}}}, spec: {spec}}}"
    )
}

// operator 21, operator 57, operator 59, operator 83
#[test]
fn objects_that_cannot_work_are_refused_with_the_reason() -> Result<()> {
    let namespace = Namespace::create("e2e-rules")?;
    let volume = "{storage: {filesystem: {size: 1Gi}}}";
    let (forty, more) = ("a".repeat(40), "a".repeat(41));
    let label = "DNS-1035 label of at most 40 characters";
    for (name, spec, message) in [
        (more.as_str(), volume, label),
        ("phi-3.5", volume, label),
        ("9lives", volume, label),
        ("team", "{storage: {}}", "set exactly one of filesystem and ephemeral"),
        (
            "team",
            "{storage: {filesystem: {size: 1Gi}, ephemeral: {}}}",
            "set exactly one of filesystem and ephemeral",
        ),
        ("team", "{replicas: 2, storage: {filesystem: {size: 1Gi}}}", "accessMode ReadWriteMany"),
        ("team", "{replicas: 2, storage: {ephemeral: {}}}", "ephemeral storage allows one replica"),
        ("team", "{strorage: {filesystem: {size: 1Gi}}, storage: {ephemeral: {}}}", "strorage"),
    ] {
        match apply(namespace.name(), &object(name, spec)) {
            Ok(said) => anyhow::bail!("{name} {spec} was taken: {said}"),
            Err(error) => ensure!(format!("{error:#}").contains(message), "{name} {spec}: {error:#}"),
        }
    }
    apply(namespace.name(), &object(&forty, "{suspend: true, storage: {ephemeral: {}}}")).map(drop)
}

// operator 29, operator 86
#[test]
fn a_volume_grows_only_and_scale_obeys_the_rules() -> Result<()> {
    let namespace = Namespace::create("e2e-transitions")?;
    let sized =
        |size: &str| object("team", &format!("{{suspend: true, storage: {{filesystem: {{size: {size}}}}}}}"));
    apply(namespace.name(), &sized("2Gi"))?;
    let smaller = apply(namespace.name(), &sized("1Gi")).err().map(|error| format!("{error:#}"));
    ensure!(smaller.as_ref().is_some_and(|said| said.contains("size cannot shrink")), "{smaller:?}");
    apply(namespace.name(), &sized("2048Mi"))?;
    let said = must_fail(&mut kubectl(&["-n", namespace.name(), "scale", "preg", "team", "--replicas=2"]))?;
    ensure!(said.contains("accessMode ReadWriteMany"), "{said}");
    run(&mut kubectl(&["-n", namespace.name(), "scale", "preg", "team", "--replicas=0"])).map(drop)
}
