//! `spec.pod.template`: merged into the pod template last, as `kubectl patch --type=strategic` would. What the
//! operator needs in order to find and to run its pods cannot be merged away.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde_json::{Map, Value};

use crate::cluster::subset::key_of;

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

/// Adds `patch` to `base`: maps are merged, lists by what tells their entries apart; other lists are replaced, and `null`
/// removes.
pub fn merge(base: &mut Value, patch: &Value) {
    let (Some(base), Some(patch)) = (base.as_object_mut(), patch.as_object()) else {
        *base = patch.clone();
        return;
    };
    for (field, value) in patch {
        match base.get_mut(field) {
            _ if value.is_null() => drop(base.remove(field)),
            None => drop(base.insert(field.clone(), value.clone())),
            Some(found) => match (found.as_array_mut(), value.as_array()) {
                (Some(found), Some(entries)) => merge_list(field, found, entries),
                _ => merge(found, value),
            },
        }
    }
}

fn merge_list(field: &str, base: &mut Vec<Value>, patch: &[Value]) {
    let Some(key) = key_of(field, patch) else {
        *base = patch.to_vec();
        return;
    };
    for entry in patch {
        match base.iter_mut().find(|found| found[key] == entry[key]) {
            Some(found) => merge(found, entry),
            None => base.push(entry.clone()),
        }
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
    fn maps_and_lists_are_merged_as_a_strategic_patch_would() {
        let spread = |key: &str, skew: i32| json!({"topologyKey": key, "maxSkew": skew});
        let mut base = json!({"spec": {"a": 1, "containers": [{"name": "x", "image": "1"}], "gone": 1,
            "tolerations": [{"key": "one"}], "topologySpreadConstraints": [spread("host", 1)]}});
        let patch = json!({"spec": {"containers": [{"name": "x", "tty": true}, {"name": "y"}], "gone": null,
            "tolerations": [{"key": "other"}], "topologySpreadConstraints": [spread("host", 2), spread("zone", 1)]}});
        merge(&mut base, &patch);
        let expected = json!({"spec": {"a": 1, "containers": [{"name": "x", "image": "1", "tty": true}, {"name": "y"}],
            "tolerations": [{"key": "other"}], "topologySpreadConstraints": [spread("host", 2), spread("zone", 1)]}});
        assert_eq!(base, expected);
        // Nothing to merge is nothing, of a list that is merged; what is not merged is replaced by it.
        merge(&mut base, &json!({"spec": {"containers": [], "tolerations": []}}));
        assert_eq!(base["spec"]["containers"], expected["spec"]["containers"]);
        assert_eq!(base["spec"]["tolerations"], json!([]));
    }
}
