//! `spec.pod.template`: merged into the pod template last, as `kubectl patch --type=strategic` would. What the
//! operator needs in order to find and to run its pods cannot be merged away.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde_json::{Map, Value};

/// Names of our volumes and our container.
const OURS: &[&str] =
    &["registry", "boot", "live", "auth", "tls", "data", "redis", "redis-ca", "redis-client"];
const SELECTOR: &[&str] =
    &["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"];

/// What is wrong with a template, for people.
pub fn check(template: &Map<String, Value>) -> Result<(), String> {
    if let Some(key) = template.keys().find(|key| !["metadata", "spec"].contains(&key.as_str())) {
        return Err(format!("has the key {key:?}: a pod template has metadata and spec only"));
    }
    let at =
        |pointer: &str| template.get(pointer.split('/').next()?)?.pointer(&pointer[pointer.find('/')?..]);
    for label in SELECTOR {
        if at("metadata/labels").is_some_and(|labels| labels.get(label).is_some()) {
            return Err(format!("sets the label {label}, by which the operator finds its pods: remove it"));
        }
    }
    for needed in ["metadata", "spec", "metadata/labels", "spec/containers", "spec/volumes"] {
        let found = if needed.contains('/') { at(needed) } else { template.get(needed) };
        if found.is_some_and(Value::is_null) {
            return Err(format!("removes {}, which the operator needs", needed.replace('/', ".")));
        }
    }
    serde_json::from_value::<PodTemplateSpec>(Value::Object(template.clone()))
        .map_err(|error| format!("is no pod template: {error}"))?;
    for list in ["spec/volumes", "spec/containers", "spec/initContainers"] {
        let Some(items) = at(list) else { continue };
        let Some(items) = items.as_array() else {
            return Err(format!("{} is no list", list.replace('/', ".")));
        };
        for item in items {
            match item["name"].as_str() {
                None => return Err(format!("has an entry without a name in {}", list.replace('/', "."))),
                Some(name) if OURS.contains(&name) => {
                    return Err(format!(
                        "has {name:?} in {}, which is the operator's own: choose another name",
                        list.replace('/', ".")
                    ));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

/// Adds `patch` to `base`: maps are merged, lists of named things by name, other lists are appended, `null` removes.
pub fn merge(base: &mut Value, patch: &Value) {
    match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    base.remove(key);
                } else if base.contains_key(key) && (value.is_object() || value.is_array()) {
                    merge(&mut base[key], value);
                } else {
                    base.insert(key.clone(), value.clone());
                }
            }
        }
        (Value::Array(base), Value::Array(patch)) => {
            for value in patch {
                let named = |item: &Value| item["name"].is_string() && item["name"] == value["name"];
                match base.iter().position(named) {
                    Some(position) => merge(&mut base[position], value),
                    None => base.push(value.clone()),
                }
            }
        }
        (base, patch) => *base = patch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(template: &Value) -> String {
        check(template.as_object().unwrap()).unwrap_err()
    }

    // operator 87
    #[test]
    fn what_the_operator_needs_cannot_be_merged_away() {
        let label = json!({"metadata": {"labels": {"app.kubernetes.io/instance": "x"}}});
        assert!(refused(&label).contains("app.kubernetes.io/instance"));
        assert!(refused(&json!({"spec": {"containers": [{"name": "registry"}]}})).contains("\"registry\""));
        assert!(refused(&json!({"spec": {"volumes": [{"name": "data"}]}})).contains("spec.volumes"));
        assert!(refused(&json!({"spec": {"volumes": [{}]}})).contains("without a name"));
        assert!(refused(&json!({"sepc": {}})).contains("sepc"));
        for shape in [
            json!({"spec": "x"}),
            json!({"spec": []}),
            json!({"metadata": 1}),
            json!({"metadata": {"annotations": "x"}}),
            json!({"spec": {"containers": [{"name": "proxy", "env": {}}]}}),
        ] {
            assert!(refused(&shape).contains("is no pod template"), "{shape}");
        }
        for null in
            [json!({"spec": null}), json!({"metadata": {"labels": null}}), json!({"spec": {"volumes": null}})]
        {
            assert!(refused(&null).contains("removes"), "{null}");
        }
        assert_eq!(check(json!({"spec": {"affinity": null}}).as_object().unwrap()), Ok(()));
        let sidecar =
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "proxy"}]}});
        assert_eq!(check(sidecar.as_object().unwrap()), Ok(()));
    }

    #[test]
    fn maps_and_named_lists_are_merged() {
        let mut base =
            json!({"spec": {"a": 1, "containers": [{"name": "x", "image": "1"}], "gone": 1, "list": [1]}});
        let patch = json!({"spec": {"containers": [{"name": "x", "tty": true}, {"name": "y"}], "gone": null, "list": [2]}});
        merge(&mut base, &patch);
        let expected = json!({"spec": {"a": 1, "containers": [{"name": "x", "image": "1", "tty": true}, {"name": "y"}],
            "list": [1, 2]}});
        assert_eq!(base, expected);
    }
}
