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

/// Whose pods a child serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// The registry.
    Registry,
    /// Its Redis.
    Redis,
    /// What is tried before pods are replaced.
    Trial,
}

impl Component {
    /// Value of the label.
    pub fn word(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Redis => "redis",
            Self::Trial => "trial",
        }
    }
}

/// Labels that select the pods of a component: name, instance, component, nothing else.
pub fn selector(model: &Model, component: Component) -> Value {
    json!({
        "app.kubernetes.io/name": "privateregistry",
        "app.kubernetes.io/instance": model.names.name,
        "app.kubernetes.io/component": component.word(),
    })
}

/// Labels of every child.
pub fn labels(model: &Model, component: Component) -> Value {
    let mut labels = selector(model, component);
    labels["app.kubernetes.io/part-of"] = "privateregistry".into();
    labels["app.kubernetes.io/managed-by"] = MANAGER.into();
    labels
}

/// `metadata` of a child of the registry.
pub fn metadata(model: &Model, name: &str, keep: Keep) -> Value {
    metadata_of(model, name, keep, Component::Registry)
}

/// `metadata` of a child of `component`.
pub fn metadata_of(model: &Model, name: &str, keep: Keep, component: Component) -> Value {
    let mut metadata = json!({
        "name": name, "namespace": model.names.namespace, "labels": labels(model, component), "annotations": {},
    });
    if keep == Keep::ByPolicy {
        metadata["annotations"][REGISTRY_ANNOTATION] = model.names.name.clone().into();
    }
    if keep == Keep::Never || model.spec.deletion_policy == DeletionPolicy::Delete {
        metadata["ownerReferences"] = json!([model.owner]);
    }
    metadata
}

/// The security of every container of ours: the "restricted" standard and a read-only root.
pub fn container_security() -> Value {
    json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}})
}
