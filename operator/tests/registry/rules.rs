//! Rules of the API, each broken without a cluster. The suite breaks them once more, on a real API server.

use kube::core::cel::{validate_cel, validate_cel_update};
use operator::crd::registry::PrivateRegistry;
use serde_json::{Value, json};

#[path = "../../../e2e/tests/chain/rules/tables.rs"]
mod tables;
use tables::{BROKEN, FIXED, NAME, whole};

/// The object as the API server has it when it asks the rules: with its defaults.
fn object(name: &str, spec: &str) -> PrivateRegistry {
    let spec: Value = serde_saphyr::from_str(spec).unwrap();
    serde_json::from_value(json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry",
        "metadata": {"name": name, "namespace": "tools"}, "spec": spec}))
    .unwrap_or_else(|error| panic!("{spec}: {error}"))
}

fn problems(object: &PrivateRegistry, old: Option<&PrivateRegistry>) -> String {
    let checked = match old {
        None => validate_cel(object),
        Some(old) => validate_cel_update(object, old),
    };
    checked.err().map(|problems| format!("{problems:?}")).unwrap_or_default()
}

// operator 21, operator 57, operator 59, operator 83
#[test]
fn what_breaks_a_rule_is_told_in_its_words() {
    for (spec, words) in BROKEN {
        let said = problems(&object("team", &whole(spec)), None);
        assert!(said.contains(words), "{spec}: {said}");
    }
    for name in ["a".repeat(41), "phi-3.5".into(), "9lives".into(), "Team".into()] {
        assert!(problems(&object(&name, &whole("suspend: true")), None).contains(NAME), "{name}");
    }
    for (spec, words) in [
        ("replicas: 3, storage: {filesystem: {size: 1Gi, accessMode: ReadWriteMany}}", ""),
        ("cache: {redis: {external: {mode: Cluster, addresses: ['a:1', 'b:1']}}}", ""),
        ("auth: {htpasswd: {users: [{name: ci, rotateEvery: 720h}]}}", ""),
        ("exposure: {service: {type: NodePort, nodePort: 30500}}", ""),
        (
            "tls: {disabled: {}}, auth: {access: [{subjects: ['user:ann', 'group:oidc:a:b'], repositories: ['**'], actions: [Pull]}],
              token: {external: {realm: 'https://a', service: b, issuer: c, rootCertBundleRef: {name: d}}}}",
            "",
        ),
    ] {
        assert_eq!(problems(&object(&"a".repeat(40), &whole(spec)), None), words, "{spec}");
    }
}

// What the server refuses as too much for headers is refused before it gets there, and nothing else is.
#[test]
fn warnings_are_counted_as_the_server_counts_them() {
    let (fits, quotes) = ("x".repeat(4088), "\"\\".repeat(1022));
    for (texts, taken) in [
        (vec![fits.clone()], true),
        (vec![quotes.clone()], true),
        (vec![fits, "x".into()], false),
        (vec![quotes + "x"], false),
        (vec!["x".repeat(504); 8], true),
        (vec!["x".repeat(505); 8], false),
    ] {
        let warnings: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
        let spec = json!({"storage": {"ephemeral": {}}, "warnings": warnings}).to_string();
        assert_eq!(problems(&object("team", &spec), None).is_empty(), taken, "{}", texts.len());
        let file = json!({"warnings": warnings}).to_string();
        assert_eq!(registry_config::schema::Config::from_yaml("live.yml", &file, []).is_ok(), taken);
    }
}

// operator 29, operator 83
#[test]
fn what_is_fixed_cannot_become_something_else() {
    let on = |filesystem: &str| object("team", &format!("{{storage: {{filesystem: {filesystem}}}}}"));
    for (before, after, words) in FIXED {
        let said = problems(&on(after), Some(&on(before)));
        assert!(said.contains(words), "{before} to {after}: {said}");
    }
    for (before, after) in [("{size: 1Gi}", "{size: 1024Mi}"), ("{size: 1Gi}", "{size: 2Gi}")] {
        assert_eq!(problems(&on(after), Some(&on(before))), "", "{before} to {after}");
    }
}
