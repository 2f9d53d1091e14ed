//! The API as a page: printed from the CRD, so that it says what the API server checks.

use kube::CustomResourceExt;
use serde_json::{Map, Value};

use crate::crd::registry::PrivateRegistry;

/// Kubernetes' own types are named rather than spelled out.
const KUBERNETES: &[(&str, &str)] = &[
    ("spec.pod.affinity", "Affinity"),
    ("spec.pod.tolerations", "list of Toleration"),
    ("spec.pod.topologySpreadConstraints", "list of TopologySpreadConstraint"),
    ("spec.networkPolicy.metricsFrom", "list of NetworkPolicyPeer"),
    ("spec.networkPolicy.egress", "list of NetworkPolicyEgressRule"),
    ("status.conditions", "list of Condition"),
];

/// The page, as Markdown.
pub fn page() -> String {
    let crd = serde_json::to_value(PrivateRegistry::crd()).unwrap_or_default();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut page = String::from(
        "# The API, field by field\n\nPrinted from the types by `make generate`: edit those, not this page. \
         A field in bold must be set.\n",
    );
    for section in ["spec", "status"] {
        page.push_str(&format!(
            "\n## {section}\n\n| field | type | default | meaning |\n|---|---|---|---|\n"
        ));
        let mut rules = Vec::new();
        rows(&mut page, &mut rules, section, &schema["properties"][section]);
        if section == "spec" {
            let root = messages(schema).into_iter().map(|rule| format!("- the object: {rule}\n"));
            page.push_str("\nWhat the API server refuses, in its words:\n\n");
            page.extend(root.chain(rules.into_iter().map(|rule| format!("- {rule}\n"))));
        }
    }
    page
}

fn rows(page: &mut String, rules: &mut Vec<String>, path: &str, schema: &Value) {
    rules.extend(messages(schema).into_iter().map(|rule| format!("`{path}`: {rule}")));
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().unwrap_or(&Map::new()) {
        let path = format!("{path}.{name}");
        let shown =
            if required.contains(&name.as_str()) { format!("**`{path}`**") } else { format!("`{path}`") };
        let default = field.get("default").map_or(String::new(), |value| format!("`{value}`"));
        let meaning =
            field["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        page.push_str(&format!("| {shown} | {} | {default} | {meaning} |\n", kind(&path, field)));
        if !KUBERNETES.iter().any(|(known, _)| *known == path) {
            let inner = if field["items"]["properties"].is_object() { &field["items"] } else { field };
            let inner_path = if field["items"].is_object() { format!("{path}[]") } else { path };
            rows(page, rules, &inner_path, inner);
        }
    }
}

fn messages(schema: &Value) -> Vec<String> {
    let rules = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    rules.filter_map(|rule| rule["message"].as_str().map(str::to_owned)).collect()
}

fn kind(path: &str, field: &Value) -> String {
    if let Some((_, name)) = KUBERNETES.iter().find(|(known, _)| *known == path) {
        return (*name).to_owned();
    }
    if let Some(words) = field["enum"].as_array() {
        let words: Vec<String> =
            words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    if field["x-kubernetes-int-or-string"] == true {
        return "quantity".into();
    }
    match field["type"].as_str().unwrap_or("object") {
        "array" => format!("list of {}", kind(&format!("{path}[]"), &field["items"])),
        "object" if field["additionalProperties"]["x-kubernetes-int-or-string"] == true => {
            "map of quantities".into()
        }
        "object" if field["additionalProperties"].is_object() => "map of strings".into(),
        word => word.to_owned(),
    }
}
