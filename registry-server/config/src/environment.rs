//! `REGISTRY_HTTP_ADDR=…` over the file: segments are keys or list indices, values are YAML.

use serde_json::{Map, Value};

use crate::{advice, top_level};

/// The path that a variable names. Variables that Kubernetes sets for a Service are not ours, whatever it is
/// called: `REGISTRY_PORT`, `REGISTRY_REDIS_SERVICE_HOST`, `REGISTRY_REDIS_PORT_6379_TCP_ADDR`.
pub fn path(name: &str) -> Option<Vec<String>> {
    let path: Vec<String> = name.strip_prefix("REGISTRY_")?.split('_').map(str::to_lowercase).collect();
    let first = path.first()?.as_str();
    let known = top_level::keys().contains(&first) || advice::sections().any(|section| section == first);
    let of_a_service = path.iter().skip(1).any(|step| step == "port" || step == "service");
    let of_a_service = of_a_service && path != ["auth", "token", "service"];
    (known && !of_a_service && path.iter().all(|step| !step.is_empty())).then_some(path)
}

/// Sets the value at a path, making what is missing on the way.
pub fn set(at: &mut Value, path: &[String], value: Value) {
    let Some((step, rest)) = path.split_first() else {
        *at = value;
        return;
    };
    set(child(at, step), rest, value);
}

fn child<'a>(at: &'a mut Value, step: &str) -> &'a mut Value {
    let length = at.as_array().map_or(0, Vec::len);
    match step.parse::<usize>() {
        Ok(index) if index <= length => {
            if !at.is_array() {
                *at = Value::Array(Vec::new());
            }
            if index == length
                && let Value::Array(items) = at
            {
                items.push(Value::Null);
            }
            &mut at[index]
        }
        _ => {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            &mut at[step]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry CF4
    #[test]
    fn variables_reach_keys_and_list_items() {
        let mut value = serde_json::json!({ "redis": { "addrs": ["a"] } });
        for (name, to) in
            [("REGISTRY_REDIS_ADDRS_0", "b"), ("REGISTRY_REDIS_ADDRS_1", "c"), ("REGISTRY_HTTP_ADDR", "d")]
        {
            set(&mut value, &path(name).unwrap(), to.into());
        }
        assert_eq!(value, serde_json::json!({ "redis": { "addrs": ["b", "c"] }, "http": { "addr": "d" } }));
        assert_eq!(path("REGISTRY_AUTH_TOKEN_SERVICE").unwrap(), ["auth", "token", "service"]);
        for name in [
            "REGISTRY_AUTH_TOKEN_SERVICE_HOST",
            "REGISTRY_PORT",
            "REGISTRY_SERVICE_HOST",
            "REGISTRY_REDIS_SERVICE_PORT",
            "REGISTRY_REDIS_PORT",
            "REGISTRY_REDIS_PORT_6379_TCP_ADDR",
            "REGISTRY_HTTP__ADDR",
            "HOME",
        ] {
            assert_eq!(path(name), None, "{name}");
        }
    }
}
