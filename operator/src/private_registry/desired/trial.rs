//! The pod that tries what the registry's pods are to run before they are replaced: where the old pod has to go first,
//! what cannot start would leave nobody to serve.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::{
        child::{Component, Keep, metadata_of},
        config_maps::content_hash,
        pod_template::merge,
        server_config::{BOOT, TOKENS},
    },
    model::Model,
};

/// On the trial's pod and on the Deployment: what was tried.
pub const TRIED: &str = "privateregistry.dev/tried";

/// The pod that tries what `deployment` would run: same image, node and rights, and the server checks its boot file and
/// ends. What else is in the pod, and what it shares with the pod that serves, is left out.
pub fn trial(model: &Model, deployment: &Value) -> Value {
    let template = &deployment["spec"]["template"];
    let spec = spec(&template["spec"]);
    let mut metadata = metadata_of(model, &model.names.trial(), Keep::Never, Component::Trial);
    let (ours, hash) = (metadata.clone(), content_hash(&spec.to_string()));
    for key in ["labels", "annotations"] {
        metadata[key] = template["metadata"][key].clone();
        merge(&mut metadata[key], &ours[key]);
    }
    metadata["annotations"][TRIED] = hash.into();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
}

/// Volumes of the files that the server opens when it checks its boot file, and where they are.
const READ: [(&str, &str); 2] = [("boot", BOOT), ("tokens", TOKENS)];

fn mounts(volumes: &Value) -> Value {
    let there = READ.iter().filter(|(name, _)| !named(volumes, name).is_null());
    there.map(|(name, path)| json!({"name": name, "mountPath": path, "readOnly": true})).collect()
}

fn spec(template: &Value) -> Value {
    let mut container = named(&template["containers"], "registry");
    container["args"] = json!(["config", "validate", format!("{BOOT}/config.yml")]);
    container["volumeMounts"] = mounts(&template["volumes"]);
    without(&mut container, &["ports", "livenessProbe", "readinessProbe", "lifecycle"]);
    let mut spec = template.clone();
    spec["containers"] = json!([container]);
    spec["volumes"] =
        READ.iter().map(|(name, _)| named(&template["volumes"], name)).filter(|one| !one.is_null()).collect();
    spec["restartPolicy"] = "Never".into();
    without(&mut spec, &["initContainers", "topologySpreadConstraints", "terminationGracePeriodSeconds"]);
    // Pods that keep apart would keep it from where the one that serves is.
    without(&mut spec["affinity"], &["podAffinity", "podAntiAffinity"]);
    without_empty(&mut spec, "affinity");
    spec
}

/// Whether pods of `wanted` would run what was not seen to start, in the place of those of `live`.
pub fn needed(wanted: &Value, live: &Value) -> bool {
    let tried = |deployment: &Value| deployment["metadata"]["annotations"][TRIED].clone();
    let runs = |deployment: &Value| deployment["spec"]["replicas"] != 0;
    let replaces = wanted["spec"]["strategy"]["type"] == "Recreate";
    replaces && runs(wanted) && runs(live) && tried(wanted) != tried(live)
}

fn named(list: &Value, name: &str) -> Value {
    list.as_array().into_iter().flatten().find(|item| item["name"] == name).cloned().unwrap_or_default()
}

fn without(object: &mut Value, keys: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|key, _| !keys.contains(&key.as_str()));
    }
}

fn without_empty(object: &mut Value, key: &str) {
    let empty = object[key].as_object().is_none_or(serde_json::Map::is_empty);
    without(object, if empty { std::slice::from_ref(&key) } else { &[] });
}
