//! The volume of a filesystem store.

use serde_json::{Value, json};

use crate::{
    cluster::quantity::amount,
    private_registry::{
        desired::child::{Keep, metadata},
        model::Model,
    },
};

/// The claim, when the store is a filesystem. A volume can only grow: a claim that asks for more already, because
/// somebody enlarged it by hand or an earlier object did, is never sent smaller.
pub fn volume_claim(model: &Model, requested: Option<&str>) -> Option<Value> {
    let filesystem = model.spec.storage.filesystem.as_ref()?;
    let metadata = metadata(model, &model.names.data(), Keep::ByPolicy);
    let larger = requested.filter(|requested| amount(requested) > amount(&filesystem.size.0));
    let size = larger.unwrap_or(&filesystem.size.0);
    let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {
        "accessModes": [filesystem.access_mode],
        "resources": {"requests": {"storage": size}},
    }});
    if let Some(class) = &filesystem.storage_class_name {
        claim["spec"]["storageClassName"] = class.clone().into();
    }
    Some(claim)
}
