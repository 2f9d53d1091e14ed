//! Pods that the operator cannot make as the object says.

use anyhow::{Result, ensure};
use e2e::{
    kubectl::apply,
    namespace::Namespace,
    object::{manifest, until},
};

// operator 87
#[test]
fn a_pod_template_that_hides_pods_from_the_operator_is_refused_by_condition() -> Result<()> {
    let namespace = Namespace::create("e2e-template")?;
    let labels = "{template: {metadata: {labels: {app.kubernetes.io/instance: other}}}}";
    apply(namespace.name(), &manifest("team", &format!("{{storage: {{ephemeral: {{}}}}, pod: {labels}}}")))?;
    let said = until(namespace.name(), "team", "Ready", "False/InvalidSpec")?;
    ensure!(said.contains("spec.pod.template") && said.contains("app.kubernetes.io/instance"), "{said}");
    Ok(())
}
