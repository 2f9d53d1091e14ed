//! The volume of a filesystem store.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::child::{Keep, metadata},
    model::Model,
};

/// The claim, when the store is a filesystem.
pub fn volume_claim(model: &Model) -> Option<Value> {
    let filesystem = model.spec.storage.filesystem.as_ref()?;
    let metadata = metadata(model, &model.names.data(), Keep::ByPolicy);
    let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {
        "accessModes": [filesystem.access_mode],
        "resources": {"requests": {"storage": filesystem.size}},
    }});
    if let Some(class) = &filesystem.storage_class_name {
        claim["spec"]["storageClassName"] = class.clone().into();
    }
    Some(claim)
}
