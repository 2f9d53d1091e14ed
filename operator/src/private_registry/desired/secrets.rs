//! Secrets around values that were made once or checked before: accounts, the password file, CA and certificate.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::private_registry::{
    accounts::rotation::Account,
    certificates::{authority::Authority, inspect::Pair},
    desired::{
        child::{Keep, metadata},
        server_config::PULL_USER,
    },
    model::Model,
};

/// On the CA's Secret: the value of the annotation `rotate-ca` that was carried out last.
pub const ROTATED: &str = "privateregistry.dev/rotate-ca";
/// On the password file's Secret: what it was made of, so that nobody verifies the same lines again.
pub const SOURCES: &str = "privateregistry.dev/sources";

/// On an account's Secret: since when the password is what it is, in seconds since 1970.
pub const SINCE: &str = "privateregistry.dev/password-since";
/// On an account's Secret: the value of the annotation `rotate-credentials` that was carried out last.
pub const WISH: &str = "privateregistry.dev/rotate-credentials";

/// Values by key.
pub type Data = BTreeMap<&'static str, String>;

/// A Secret of type `kind`.
pub fn secret(metadata: Value, kind: &str, data: &Data) -> Value {
    let encoded: Map<String, Value> =
        data.iter().map(|(key, value)| ((*key).to_owned(), STANDARD.encode(value).into())).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata, "data": encoded})
}

/// The registry's own CA.
pub fn authority(model: &Model, authority: &Authority) -> Value {
    let mut data = pair(&authority.current);
    if let Some(next) = &authority.next {
        data.insert("next.crt", next.certificate.clone());
        data.insert("next.key", next.key.clone());
    }
    if let Some(previous) = &authority.previous {
        data.insert("previous.crt", previous.clone());
    }
    let mut metadata = metadata(model, &model.names.ca(), Keep::ByPolicy);
    if let Some(rotated) = &authority.rotated {
        metadata["annotations"][ROTATED] = rotated.clone().into();
    }
    secret(metadata, "kubernetes.io/tls", &data)
}

/// The certificate that is served, with the certificate of who signed it beside it: so a certificate of a former CA
/// is known as such.
pub fn served(model: &Model, served: &Pair, ca: Option<&str>) -> Value {
    let mut data = pair(served);
    if let Some(ca) = ca {
        data.insert("ca.crt", ca.to_owned());
    }
    secret(metadata(model, &model.names.tls(), Keep::Never), "kubernetes.io/tls", &data)
}

fn pair(pair: &Pair) -> Data {
    BTreeMap::from([("tls.crt", pair.certificate.clone()), ("tls.key", pair.key.clone())])
}

/// A generated account.
pub fn account(model: &Model, user: &str, account: &Account) -> Value {
    let mut data = BTreeMap::from([("username", user.to_owned()), ("password", account.password.clone())]);
    if let Some(previous) = &account.previous {
        data.insert("previous", previous.clone());
    }
    secret(account_metadata(model, &model.names.user(user), account), "kubernetes.io/basic-auth", &data)
}

/// `metadata` of an account's Secret: when its password changed, and whether that was asked for.
fn account_metadata(model: &Model, name: &str, account: &Account) -> Value {
    let mut metadata = metadata(model, name, Keep::ByPolicy);
    if account.rotated {
        metadata["annotations"][SINCE] = account.since.to_string().into();
    }
    if let Some(wish) = &account.wish {
        metadata["annotations"][WISH] = wish.clone().into();
    }
    metadata
}

/// The password file.
pub fn htpasswd(model: &Model, file: &str, sources: &str) -> Value {
    let mut metadata = metadata(model, &model.names.htpasswd(), Keep::ByPolicy);
    metadata["annotations"][SOURCES] = sources.into();
    secret(metadata, "Opaque", &BTreeMap::from([("htpasswd", file.to_owned())]))
}

/// The pull account, for every host of the registry.
pub fn pull(model: &Model, authorities: &[String], account: &Account) -> Value {
    let config = docker_config(authorities, &account.password);
    let mut data = BTreeMap::from([(".dockerconfigjson", config)]);
    if let Some(previous) = &account.previous {
        data.insert("previous", previous.clone());
    }
    secret(account_metadata(model, &model.names.pull(), account), "kubernetes.io/dockerconfigjson", &data)
}

/// `.dockerconfigjson` of the pull account, for every `host` and `host:port` of the registry.
pub fn docker_config(authorities: &[String], password: &str) -> String {
    let auth = STANDARD.encode(format!("{PULL_USER}:{password}"));
    let entry = json!({"username": PULL_USER, "password": password, "auth": auth});
    let auths: Map<String, Value> =
        authorities.iter().map(|authority| (authority.clone(), entry.clone())).collect();
    json!({"auths": auths}).to_string()
}

/// The password in a `.dockerconfigjson` of ours.
pub fn docker_config_password(config: &str) -> Option<String> {
    let config: Value = serde_json::from_str(config).ok()?;
    let entry = config["auths"].as_object()?.values().next()?;
    entry["password"].as_str().map(str::to_owned)
}
