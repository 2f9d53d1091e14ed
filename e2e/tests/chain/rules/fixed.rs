//! What cannot be changed later.

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::manifest,
    process::{must_fail, run},
};

use super::{
    refused,
    tables::{FIXED, whole},
};

// operator 29, operator 86
#[test]
fn what_is_fixed_stays_and_scale_obeys_the_rules() -> Result<()> {
    let namespace = Namespace::create("e2e-transitions")?;
    let on = |filesystem: &str| format!("suspend: true, storage: {{filesystem: {filesystem}}}");
    for (at, (before, after, words)) in FIXED.iter().enumerate() {
        let name = format!("team{at}");
        apply(namespace.name(), &manifest(&name, &whole(&on(before))))?;
        refused(namespace.name(), &name, &on(after), words)?;
    }
    apply(namespace.name(), &manifest("team", &whole(&on("{size: 2Gi}"))))?;
    apply(namespace.name(), &manifest("team", &whole(&on("{size: 2048Mi}"))))?;
    let said = must_fail(&mut kubectl(&["-n", namespace.name(), "scale", "preg", "team", "--replicas=2"]))?;
    ensure!(said.contains("accessMode ReadWriteMany"), "{said}");
    run(&mut kubectl(&["-n", namespace.name(), "scale", "preg", "team", "--replicas=0"]))?;
    apply(namespace.name(), &manifest("many", &whole(&on("{size: 1Gi, accessMode: ReadWriteMany}"))))?;
    run(&mut kubectl(&["-n", namespace.name(), "scale", "preg", "many", "--replicas=2"]))?;
    let scaled = get(namespace.name(), &["preg", "many"])?;
    ensure!(scaled["spec"]["replicas"] == 2, "{}", scaled["spec"]);
    Ok(())
}
