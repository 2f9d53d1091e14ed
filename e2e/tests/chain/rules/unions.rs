//! Fields of which one excludes the other.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{get, kubectl},
    namespace::Namespace,
    object::manifest,
    process::run_with_input,
};
use serde_json::Value;

/// The members of `cache` and of `tls`, one after the other, and what each is to leave in the object: nothing of the one
/// before it, the defaults of that one included.
const TURNS: [(&str, &[&str]); 8] = [
    ("", &[]),
    ("cache: {memory: {}}, tls: {disabled: {}}", &["cache.memory.maxSize", "tls.disabled"]),
    (
        "cache: {none: {}}, tls: {selfSigned: {}}",
        &["cache.none", "tls.selfSigned.caLifetime", "tls.selfSigned.certificateLifetime"],
    ),
    (
        "cache: {redis: {managed: {}}}, tls: {secretRef: {name: x}}",
        &["cache.redis.managed.maxMemory", "tls.secretRef.name"],
    ),
    (
        "cache: {redis: {external: {addresses: ['a:1']}}}, tls: {disabled: {}}",
        &[
            "cache.redis.external.addresses",
            "cache.redis.external.database",
            "cache.redis.external.mode",
            "tls.disabled",
        ],
    ),
    ("cache: {redis: {managed: {}}}", &["cache.redis.managed.maxMemory"]),
    ("cache: {memory: {}}", &["cache.memory.maxSize"]),
    ("", &[]),
];

/// Paths of all that has nothing below it.
fn leaves(at: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value.as_object().filter(|fields| !fields.is_empty()) {
        None => drop(found.insert(at.to_owned())),
        Some(fields) => fields.iter().for_each(|(key, value)| leaves(&format!("{at}.{key}"), value, found)),
    }
}

fn chosen(namespace: &str) -> Result<BTreeSet<String>> {
    let object = get(namespace, &["preg", "team"])?;
    let mut found = BTreeSet::new();
    for union in ["cache", "tls"] {
        if let Some(value) = object["spec"].get(union) {
            leaves(union, value, &mut found);
        }
    }
    Ok(found)
}

fn apply_by(how: &[&str], namespace: &str, spec: &str) -> Result<()> {
    let object = manifest("team", &format!("{{suspend: true, storage: {{ephemeral: {{}}}}, {spec}}}"));
    let mut command = kubectl(&["-n", namespace, "apply", "-f", "-"]);
    run_with_input(command.args(how), &object).map(drop)
}

// operator 85: one-of fields can be switched there and back, by both ways of applying
#[test]
fn one_of_fields_are_switched_by_both_ways_of_applying() -> Result<()> {
    let namespace = Namespace::create("e2e-unions")?;
    for how in [&[][..], &["--server-side", "--force-conflicts"]] {
        for (spec, left) in TURNS {
            apply_by(how, namespace.name(), spec)?;
            let found = chosen(namespace.name())?;
            ensure!(found.iter().eq(left), "{how:?} {spec}: {found:?}");
        }
    }
    Ok(())
}
