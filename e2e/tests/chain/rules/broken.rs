//! Rules of the API, each broken.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, get},
    namespace::Namespace,
    object::manifest,
};

use super::{
    refused,
    tables::{BROKEN, FIXED, NAME, whole},
};

// operator 21, operator 57, operator 59, operator 83
#[test]
fn objects_that_cannot_work_are_refused_with_the_reason() -> Result<()> {
    let namespace = Namespace::create("e2e-rules")?;
    for (spec, words) in BROKEN {
        refused(namespace.name(), "team", spec, words)?;
    }
    for name in ["a".repeat(41), "a".repeat(63), "a".repeat(253), "phi-3.5".into(), "9lives".into()] {
        refused(namespace.name(), &name, "suspend: true", NAME)?;
    }
    // Names that no object of any kind may have: the API server says so before it asks a rule.
    for name in ["Team".to_owned(), "a".repeat(254)] {
        refused(namespace.name(), &name, "suspend: true", "metadata.name: Invalid value")?;
    }
    apply(namespace.name(), &manifest(&"a".repeat(40), &whole("suspend: true"))).map(drop)
}

/// Messages of all rules below a part of a schema.
fn messages(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    let rules = schema["x-kubernetes-validations"].as_array();
    found.extend(rules.into_iter().flatten().filter_map(|rule| rule["message"].as_str().map(str::to_owned)));
    let parts = schema["properties"].as_object().into_iter().flat_map(|all| all.values());
    parts
        .chain([&schema["items"], &schema["additionalProperties"]])
        .filter(|part| part.is_object())
        .for_each(|part| messages(part, found));
}

#[test]
fn every_rule_of_the_api_is_broken_by_a_test() -> Result<()> {
    let crd = get("default", &["crd", "privateregistries.privateregistry.dev"])?;
    let mut rules = BTreeSet::new();
    messages(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], &mut rules);
    rules.retain(|rule| !rule.starts_with(NAME));
    let broken = BROKEN.iter().map(|(_, words)| *words).chain(FIXED.iter().map(|(_, _, words)| *words));
    let broken: BTreeSet<String> = broken.map(str::to_owned).collect();
    ensure!(rules == broken, "{:?}", rules.symmetric_difference(&broken));
    Ok(())
}
