//! Whether an object has what we want of it.

use serde_json::Value;

use crate::cluster::quantity::amount;

/// Whether `live` has everything that `wanted` says; what it has beyond that is others' business.
pub fn contains(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            wanted.iter().all(|(field, value)| match live.get(field) {
                Some(found) => holds(field, found, value),
                None => empty(value),
            })
        }
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| contains(live, wanted))
        }
        (Value::String(live), Value::String(wanted)) => {
            live == wanted || amount(live).is_some_and(|live| amount(wanted) == Some(live))
        }
        (Value::String(live), Value::Number(wanted)) => {
            amount(live).is_some_and(|live| amount(&wanted.to_string()) == Some(live))
        }
        _ => live == wanted,
    }
}

/// Lists of which server-side apply keeps others' entries beside ours: field, what an entry has, what tells entries
/// apart. The ports of a NetworkPolicy are not among them: there one entry more is another rule.
/// Source: `x-kubernetes-list-map-keys` of the API's schema.
const MERGED: &[(&str, &str, &str)] = &[
    ("containers", "name", "name"),
    ("env", "name", "name"),
    ("hostAliases", "ip", "ip"),
    ("imagePullSecrets", "name", "name"),
    ("initContainers", "name", "name"),
    ("ownerReferences", "uid", "uid"),
    ("ports", "containerPort", "containerPort"),
    ("ports", "targetPort", "port"),
    ("topologySpreadConstraints", "topologyKey", "topologyKey"),
    ("volumeMounts", "mountPath", "mountPath"),
    ("volumes", "name", "name"),
];

/// What tells the entries of the list `field` apart, if it is one that is merged.
pub fn key_of(field: &str, entries: &[Value]) -> Option<&'static str> {
    let merged = MERGED
        .iter()
        .find(|(name, mark, _)| *name == field && entries.iter().all(|entry| !entry[*mark].is_null()));
    merged.map(|(_, _, key)| *key)
}

/// Whether a field of `live` has everything that `wanted` says.
fn holds(field: &str, live: &Value, wanted: &Value) -> bool {
    let (Some(found), Some(entries)) = (live.as_array(), wanted.as_array()) else {
        return contains(live, wanted);
    };
    let Some(key) = key_of(field, entries).filter(|_| !entries.is_empty()) else {
        return contains(live, wanted);
    };
    entries.iter().all(|entry| found.iter().any(|live| live[key] == entry[key] && contains(live, entry)))
}

/// The API server drops what is empty, false or zero where that means the same.
fn empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Object(map) => map.values().all(empty),
        Value::Array(list) => list.is_empty(),
        Value::Bool(true) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_added_is_no_difference_and_what_they_changed_is() {
        let wanted = json!({"spec": {"a": 1, "list": [{"x": 1}], "none": {}}});
        for (live, same) in [
            (json!({"spec": {"a": 1, "b": 2, "list": [{"x": 1, "y": 2}]}, "status": {}}), true),
            (json!({"spec": {"a": 2, "list": [{"x": 1}]}}), false),
            (json!({"spec": {"a": 1, "list": [{"x": 1}, {"x": 2}]}}), false),
            (json!({"spec": {"list": [{"x": 1}]}}), false),
        ] {
            assert_eq!(contains(&live, &wanted), same, "{live}");
        }
        let wanted = json!({"key": "", "hostNetwork": false, "limits": {"cpu": 1}});
        assert!(contains(&json!({"limits": {"cpu": "1"}}), &wanted));
        assert!(!contains(&json!({"hostNetwork": true, "limits": {"cpu": "1"}}), &wanted));
        let wanted = json!({"storage": "1024Mi"});
        for (live, same) in [(json!({"storage": "1Gi"}), true), (json!({"storage": "2Gi"}), false)] {
            assert_eq!(contains(&live, &wanted), same, "{live}");
        }
    }

    // guarantee 1: what another manager adds to a list of ours would be sent for in every pass, without effect
    #[test]
    fn entries_that_others_added_to_a_merged_list_are_theirs() {
        let service = json!({"spec": {"ports": [{"port": 443, "targetPort": "https"}]}});
        let policy = json!({"spec": {"ingress": [{"ports": [{"port": 5000}]}]}});
        let pod = json!({"containers": [{"name": "registry", "args": ["serve"]}]});
        for (live, wanted, same) in [
            (
                json!({"spec": {"ports": [{"port": 9, "targetPort": 9}, {"port": 443, "targetPort": "https"}]}}),
                &service,
                true,
            ),
            (json!({"spec": {"ports": [{"port": 443, "targetPort": 9}]}}), &service, false),
            (json!({"spec": {"ports": [{"port": 9, "targetPort": "https"}]}}), &service, false),
            (json!({"spec": {"ingress": [{"ports": [{"port": 5000}, {"port": 9}]}]}}), &policy, false),
            (json!({"containers": [{"name": "a"}, {"name": "registry", "args": ["serve"]}]}), &pod, true),
            (json!({"containers": [{"name": "registry", "args": ["serve", "x"]}]}), &pod, false),
            (json!({"containers": []}), &pod, false),
        ] {
            assert_eq!(contains(&live, wanted), same, "{live}");
        }
    }
}
