//! Fields of which one excludes the other.

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{get, kubectl},
    namespace::Namespace,
    object::manifest,
    process::run_with_input,
};

// operator 85: one-of fields can be switched there and back, by both ways of applying
#[test]
fn one_of_fields_are_switched_by_both_ways_of_applying() -> Result<()> {
    let namespace = Namespace::create("e2e-unions")?;
    for how in [&["apply", "-f", "-"][..], &["apply", "--server-side", "--force-conflicts", "-f", "-"]] {
        for spec in [
            "suspend: true, storage: {ephemeral: {}}",
            "suspend: true, storage: {ephemeral: {}}, cache: {memory: {}}, tls: {disabled: {}}",
            "suspend: true, storage: {ephemeral: {}}, cache: {none: {}}, tls: {selfSigned: {}}",
            "suspend: true, storage: {ephemeral: {}}, cache: {redis: {managed: {}}}, tls: {secretRef: {name: x}}",
            "suspend: true, storage: {ephemeral: {}}",
        ] {
            let mut command = kubectl(&["-n", namespace.name()]);
            run_with_input(command.args(how), &manifest("team", &format!("{{{spec}}}")))?;
        }
        let object = get(namespace.name(), &["preg", "team"])?;
        ensure!(
            object["spec"].get("cache").is_none() && object["spec"].get("tls").is_none(),
            "{}",
            object["spec"]
        );
    }
    Ok(())
}
