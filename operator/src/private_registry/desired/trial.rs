//! The pod that tries an image and its boot file before the pods are replaced by others: where the old pod has to go
//! first, what cannot start would leave nobody to serve.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::{
        child::{Component, Keep, container_security, metadata_of},
        config_maps::content_hash,
        server_config::BOOT,
    },
    model::Model,
};

/// On the trial pod: what it tries.
pub const TRIES: &str = "privateregistry.dev/tries";

/// The pod that tries what `deployment` would run: the server checks its boot file, and ends.
pub fn trial(model: &Model, deployment: &Value) -> Value {
    let wanted = &deployment["spec"]["template"]["spec"];
    let container = container(wanted);
    let mut pod = json!({
        "restartPolicy": "Never",
        "serviceAccountName": wanted["serviceAccountName"],
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "securityContext": wanted["securityContext"],
        "imagePullSecrets": wanted["imagePullSecrets"],
        "containers": [{
            "name": "registry",
            "image": container["image"],
            "imagePullPolicy": container["imagePullPolicy"],
            "args": ["config", "validate", format!("{BOOT}/config.yml")],
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "128Mi"}},
            "securityContext": container_security(),
            "volumeMounts": [{"name": "boot", "mountPath": BOOT, "readOnly": true}],
        }],
        "volumes": [named(&wanted["volumes"], "boot")],
    });
    for key in ["nodeSelector", "tolerations", "affinity", "priorityClassName"] {
        if !wanted[key].is_null() {
            pod[key] = wanted[key].clone();
        }
    }
    let mut metadata = metadata_of(model, &model.names.trial(), Keep::Never, Component::Trial);
    metadata["annotations"][TRIES] = content_hash(&pod.to_string()).into();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod})
}

/// Whether pods of `wanted` would run what those of `live` were not seen to run, and would take their place.
pub fn needed(wanted: &Value, live: &Value) -> bool {
    let essence = |deployment: &Value| {
        let template = &deployment["spec"]["template"];
        let container = container(&template["spec"]);
        let config = template["metadata"]["annotations"]["privateregistry.dev/config-hash"].clone();
        (container["image"].clone(), config)
    };
    let replaces = wanted["spec"]["strategy"]["type"] == "Recreate" && wanted["spec"]["replicas"] != 0;
    let serves = live["status"]["readyReplicas"].as_i64().unwrap_or(0) > 0;
    replaces && serves && essence(wanted) != essence(live)
}

fn container(pod: &Value) -> Value {
    named(&pod["containers"], "registry")
}

fn named(list: &Value, name: &str) -> Value {
    list.as_array().into_iter().flatten().find(|item| item["name"] == name).cloned().unwrap_or_default()
}
