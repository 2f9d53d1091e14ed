//! What the cluster has of a registry's children. A pass reads it at once when it begins: one list of each kind costs less
//! than twenty objects one by one.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use kube::{ResourceExt, api::DynamicObject};

/// Kinds of which a registry has children at all times: version and name.
pub const KINDS: [(&str, &str); 7] = [
    ("v1", "ServiceAccount"),
    ("v1", "Service"),
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
    ("apps/v1", "Deployment"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
];

/// Objects as a pass has read them, or has them from the answer to its own write: by kind and name. A Secret is written
/// only if it still is what was read: what somebody changes in between is never put back to what it was.
#[derive(Default)]
pub struct Stock(Mutex<BTreeMap<(String, String), DynamicObject>>);

impl Stock {
    /// An object, if it was read.
    pub fn get(&self, kind: &str, name: &str) -> Option<DynamicObject> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(kind.into(), name.into())).cloned()
    }

    /// An object as it is now.
    pub fn put(&self, kind: &str, object: &DynamicObject) {
        let key = (kind.to_owned(), object.name_any());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, object.clone());
    }

    /// All objects of a kind; none: the kind is not one that passes list when they begin.
    pub fn all(&self, kind: &str) -> Option<Vec<DynamicObject>> {
        KINDS.iter().find(|(_, listed)| *listed == kind)?;
        let stock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(stock.iter().filter(|((of, _), _)| of == kind).map(|(_, object)| object.clone()).collect())
    }
}
