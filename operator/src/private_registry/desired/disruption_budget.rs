//! How many pods a drained node may take at once.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::child::{Component, Keep, metadata, selector},
    model::Model,
};

/// The budget, when there is more than one pod: for a single one it would only block the drain.
pub fn disruption_budget(model: &Model) -> Option<Value> {
    (model.spec.replicas > 1).then(|| {
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": metadata(model, &model.names.registry(), Keep::Never), "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(model, Component::Registry)},
        }})
    })
}
