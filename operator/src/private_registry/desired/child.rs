//! What every child carries: labels, owner, name.

use serde_json::{Value, json};

use crate::{crd::registry::DeletionPolicy, private_registry::model::Model};

/// Value of `app.kubernetes.io/managed-by` on every child.
pub const MANAGER: &str = "privateregistry-operator";
/// On claims and kept Secrets: the registry that they belong to, for adoption.
pub const REGISTRY_ANNOTATION: &str = "privateregistry.dev/registry";

/// Whether a child goes with the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Owned: it goes.
    Never,
    /// Kept unless `deletionPolicy: Delete`.
    ByPolicy,
}

/// Labels that select this registry's pods: name, instance, component, nothing else.
pub fn selector(model: &Model) -> Value {
    json!({
        "app.kubernetes.io/name": "privateregistry",
        "app.kubernetes.io/instance": model.names.name,
        "app.kubernetes.io/component": "registry",
    })
}

/// Labels of every child.
pub fn labels(model: &Model) -> Value {
    let mut labels = selector(model);
    labels["app.kubernetes.io/part-of"] = "privateregistry".into();
    labels["app.kubernetes.io/managed-by"] = MANAGER.into();
    labels
}

/// `metadata` of a child.
pub fn metadata(model: &Model, name: &str, keep: Keep) -> Value {
    let mut metadata = json!({
        "name": name, "namespace": model.names.namespace, "labels": labels(model), "annotations": {},
    });
    if keep == Keep::ByPolicy {
        metadata["annotations"][REGISTRY_ANNOTATION] = model.names.name.clone().into();
    }
    if keep == Keep::Never || model.spec.deletion_policy == DeletionPolicy::Delete {
        metadata["ownerReferences"] = json!([model.owner]);
    }
    metadata
}
