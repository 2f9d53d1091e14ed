//! ConfigMaps: the server's two files, and the CA that clients must trust.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::private_registry::{
    desired::{
        child::{Keep, metadata},
        server_access::Issuers,
        server_config::{self, StoreIdentity},
        server_tokens::{file_of, live_of, map_of},
    },
    error::ResolveError,
    model::Model,
};

/// Ten hex digits that change with `content`.
pub fn content_hash(content: &str) -> String {
    hex::encode(Sha256::digest(content.as_bytes()))[..10].to_owned()
}

/// The boot file, immutable, named by its content.
pub fn boot(model: &Model, identity: &StoreIdentity, issuers: &Issuers) -> Result<Value, ResolveError> {
    let file = server_config::boot(model, identity, issuers)?;
    let name = model.names.config(&content_hash(&file));
    let metadata = metadata(model, &name, Keep::Never);
    Ok(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "immutable": true, "data": {"config.yml": file}}),
    )
}

/// The live file.
pub fn live(model: &Model, identity: &StoreIdentity, issuers: &Issuers) -> Result<Value, ResolveError> {
    let metadata = metadata(model, &live_of(model), Keep::Never);
    let mut data = json!({"live.yml": server_config::live(&model.spec, identity, issuers)?});
    if let Some(issuer) = &issuers.cluster {
        data[server_config::KEYS] = issuer.keys.clone().into();
    }
    for (file, keys) in &issuers.keys {
        data[file] = keys.clone().into();
    }
    Ok(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}))
}

/// Certificates that clients must trust.
pub fn trust(model: &Model, bundle: &str) -> Value {
    certificates(model, &model.names.trust(), bundle)
}

/// Certificates of the CA of clients. Not beside the live file, which is written before pods are replaced: those that stay for
/// now go on asking for certificates, and cannot without it.
pub fn clients(model: &Model, bundle: &str) -> Value {
    certificates(model, &model.names.clients(), bundle)
}

/// What verifies the tokens of a token server, apart from the live file as well. Pods that stay for now, and were started
/// with another server, have another object: without its file they could not be started again.
pub fn tokens(model: &Model, keys: &str) -> Option<Value> {
    let server = model.token_server()?;
    let metadata = metadata(model, &map_of(model, server), Keep::Never);
    Some(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {file_of(server): keys}}),
    )
}

fn certificates(model: &Model, name: &str, bundle: &str) -> Value {
    let metadata = metadata(model, name, Keep::Never);
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.crt": bundle}})
}
