//! The canaries of a configuration.

use std::path::Path;

use registry_config::schema::Config;
use serde_json::Value;

use super::{Kept, Planted};

/// Keys whose values are secrets, and keys of files that hold some.
const SECRETS: &[&str] = &[".secretkey"];
const FILES: &[&str] = &[
    ".secretkeyfile",
    ".passwordfile",
    ".sentinelpasswordfile",
    ".htpasswd.path",
    ".tls.key",
    ".builtin.key",
    ".builtin.previous",
];
/// Keys of what is behind the server.
const PLACES: &[&str] = &[".redis.addrs", ".s3.regionendpoint"];

/// Plants what the configuration of a server in this folder names.
pub fn plant(config: &Config, folder: &Path) -> Planted {
    let mut planted = Planted::default();
    planted.keep(folder.to_str().unwrap(), Kept::FromClients);
    let sends_away = config.storage.redirect.as_ref().is_some_and(|redirect| !redirect.disable);
    walk(&serde_json::to_value(config).unwrap(), "", &mut |key, text| {
        let is_one = |of: &[&str]| of.iter().any(|end| key.ends_with(end));
        if is_one(SECRETS) {
            planted.keep(text, Kept::FromAll);
        }
        if is_one(FILES) {
            secrets_of(&folder.join(text), &mut planted);
        }
        let public = sends_away && key.ends_with(".regionendpoint");
        if !public && (is_one(PLACES) || text.starts_with('/')) {
            let address = text.trim_start_matches("https://").trim_start_matches("http://");
            planted.keep(address, Kept::FromClients);
        }
    });
    planted
}

/// Every text with the keys that lead to it.
fn walk(value: &Value, key: &str, seen: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => seen(key, text),
        Value::Array(values) => values.iter().for_each(|value| walk(value, key, seen)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| walk(value, &format!("{key}.{name}"), seen));
        }
        _ => {}
    }
}

/// Lines of a file of secrets; of an account's line, what stands behind its name.
fn secrets_of(file: &Path, planted: &mut Planted) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    for line in text.lines().filter(|line| !line.starts_with("-----")) {
        planted.keep(line.split_once(':').map_or(line, |(_, hash)| hash), Kept::FromAll);
    }
}
