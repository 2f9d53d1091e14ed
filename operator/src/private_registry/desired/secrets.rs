//! Secrets around values that were made once: accounts, the password file, CA and certificate.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::private_registry::{
    desired::{
        child::{Keep, metadata},
        server_config::PULL_USER,
    },
    model::Model,
};

/// A Secret of `kind` with `data`.
pub fn secret(model: &Model, name: &str, kind: &str, keep: Keep, data: &BTreeMap<&str, &str>) -> Value {
    let encoded: Map<String, Value> =
        data.iter().map(|(key, value)| ((*key).to_owned(), STANDARD.encode(value).into())).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata(model, name, keep), "data": encoded})
}

/// `.dockerconfigjson` of the pull account, for every host of the registry.
pub fn docker_config(model: &Model, address: &str, password: &str) -> String {
    let auth = STANDARD.encode(format!("{PULL_USER}:{password}"));
    let entry = json!({"username": PULL_USER, "password": password, "auth": auth});
    let mut hosts = model.hosts();
    hosts.push(address.to_owned());
    let auths: Map<String, Value> = hosts.into_iter().map(|host| (host, entry.clone())).collect();
    json!({"auths": auths}).to_string()
}

/// The password in a `.dockerconfigjson` of ours.
pub fn docker_config_password(config: &str) -> Option<String> {
    let config: Value = serde_json::from_str(config).ok()?;
    let entry = config["auths"].as_object()?.values().next()?;
    entry["password"].as_str().map(str::to_owned)
}
