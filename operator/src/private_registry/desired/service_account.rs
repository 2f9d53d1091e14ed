//! The pods' ServiceAccount: no rights, no token.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::child::{Keep, metadata},
    model::Model,
};

/// The ServiceAccount.
pub fn service_account(model: &Model) -> Value {
    let metadata = metadata(model, &model.names.registry(), Keep::Never);
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": false})
}
