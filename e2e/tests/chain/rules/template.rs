//! Pods that the operator cannot make as the object says.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    children::versions,
    namespace::Namespace,
    object::{condition, patch, settled, until},
    process::{eventually, run},
    registry::hello_layout,
};

use crate::clients::six_line_registry;

/// Templates that are refused, and the word of each message that says where to look.
const TEMPLATES: [(&str, &str); 4] = [
    (r#"{"metadata": {"labels": {"app.kubernetes.io/instance": "other"}}}"#, "app.kubernetes.io/instance"),
    (r#"{"spec": {"containers": [{"name": "registry", "image": "other"}]}}"#, "spec.containers"),
    (r#"{"spec": {"volumes": [{"name": "data", "emptyDir": {}}]}}"#, "spec.volumes"),
    (r#"{"sepc": {}}"#, "sepc"),
];

// operator 87: what cannot be is said; the last good configuration serves on, and nothing is written
#[test]
fn a_pod_template_that_cannot_be_used_is_refused_by_condition() -> Result<()> {
    let namespace = Namespace::create("e2e-template")?;
    let registry = six_line_registry(namespace.name())?;
    let image = registry.reference("hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;
    settled(namespace.name(), "team")?;
    let (pods, before) = (registry.pods()?, versions(namespace.name())?);
    for (template, word) in TEMPLATES {
        // Removed first: a merge patch would merge the template with the one before it.
        patch(namespace.name(), "team", r#"{"pod": null}"#)?;
        patch(namespace.name(), "team", &format!(r#"{{"pod": {{"template": {template}}}}}"#))?;
        eventually(Duration::from_secs(60), word, || {
            let (now, said) = condition(namespace.name(), "team", "Ready")?;
            let named = said.contains("spec.pod.template") && said.contains(word);
            ensure!(now == "False/InvalidSpec" && named, "{template}: {now}: {said}");
            Ok(Some(()))
        })?;
        run(&mut registry.crane(&["validate", "--remote", &image]))?;
        ensure!(pods == registry.pods()?, "{template}: pods were replaced");
    }
    // What only the API server can know is said in its words, before the pod that serves is touched.
    patch(namespace.name(), "team", r#"{"pod": null}"#)?;
    settled(namespace.name(), "team")?;
    patch(namespace.name(), "team", r#"{"pod": {"template": {"spec": {"hostname": "Not_A_Name"}}}}"#)?;
    let said = until(namespace.name(), "team", "Progressing", "False/RolloutBlocked")?;
    ensure!(said.contains("spec.hostname") && said.contains("RFC 1123"), "{said}");
    run(&mut registry.crane(&["validate", "--remote", &image]))?;

    patch(namespace.name(), "team", r#"{"pod": null}"#)?;
    settled(namespace.name(), "team")?;
    ensure!(before == versions(namespace.name())?, "children were written");
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}
