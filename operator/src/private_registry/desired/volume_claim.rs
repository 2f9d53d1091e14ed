//! The volume of a filesystem store.

use serde_json::{Value, json};

use crate::{
    cluster::quantity::{amount, canonical},
    private_registry::{
        desired::child::{Keep, metadata},
        model::{Model, Store},
    },
};

/// On a claim of ours: a server has used it, so a volume without its identity is the wrong one.
pub const INITIALIZED: &str = "privateregistry.dev/initialized";

/// What there is of the claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// What it asks for now.
    pub requested: Option<String>,
    /// Its class cannot grow volumes.
    pub fixed: bool,
    /// A server has used it.
    pub initialized: bool,
}

/// The claim, when the store is one of ours. A volume can only grow: a claim that asks for more already, because
/// somebody enlarged it by hand or an earlier object did, is never sent smaller.
pub fn volume_claim(model: &Model, present: &Present) -> Option<Value> {
    let filesystem = model.spec.storage.filesystem.as_ref()?;
    let (Store::OwnClaim(name), Some(wanted)) = (&model.store, &filesystem.size) else { return None };
    let mut metadata = metadata(model, name, Keep::ByPolicy);
    if present.initialized {
        metadata["annotations"][INITIALIZED] = "true".into();
    }
    let stays = |requested: &String| present.fixed || amount(requested) > amount(&wanted.0);
    let size = present
        .requested
        .clone()
        .filter(|requested| stays(requested))
        .unwrap_or_else(|| canonical(&wanted.0));
    let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {
        "accessModes": [filesystem.access_mode],
        "resources": {"requests": {"storage": size}},
    }});
    if let Some(class) = &filesystem.storage_class_name {
        claim["spec"]["storageClassName"] = class.clone().into();
    }
    Some(claim)
}
