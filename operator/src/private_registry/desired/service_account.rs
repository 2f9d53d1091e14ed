//! The pods' ServiceAccount: no rights, no token.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::child::{Keep, metadata},
    model::Model,
};

/// The ServiceAccount, unless the user has one.
pub fn service_account(model: &Model) -> Option<Value> {
    let pod = model.spec.pod.clone().unwrap_or_default();
    if pod.service_account_name.is_some() {
        return None;
    }
    let mut metadata = metadata(model, &model.names.registry(), Keep::Never);
    for (key, value) in pod.service_account_annotations {
        metadata["annotations"][key] = value.into();
    }
    Some(
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": false}),
    )
}
