//! Names that two registries want: the one that was there first has them.

use std::sync::{Arc, Mutex, PoisonError};

use kube::{ResourceExt, runtime::reflector::Store};

use crate::{crd::registry::PrivateRegistry, private_registry::wakes::Watched};

/// All registries that are watched.
#[derive(Default)]
pub struct Registries(Mutex<Vec<Store<Watched>>>);

/// A name of this registry's that is another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The name.
    pub hostname: String,
    /// Namespace and name of the registry that had it first.
    pub by: String,
}

impl Registries {
    /// Adds those of a watch.
    pub fn add(&self, watched: Store<Watched>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(watched);
    }

    /// The first name of `object` that an older registry has, too.
    pub fn taken(&self, object: &PrivateRegistry) -> Option<Taken> {
        let wanted = hostnames(object);
        if wanted.is_empty() {
            return None;
        }
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let others: Vec<Arc<Watched>> = all.iter().flat_map(Store::state).collect();
        let older = others.iter().filter_map(|one| one.0.as_ref().ok()).filter(|one| age(one) < age(object));
        let having = |hostname: &String| {
            let first =
                older.clone().filter(|one| hostnames(one).contains(hostname)).min_by_key(|one| age(one));
            first.map(|one| Taken { hostname: hostname.clone(), by: path(one) })
        };
        wanted.iter().find_map(having)
    }
}

fn hostnames(object: &PrivateRegistry) -> &[String] {
    let leaving = object.metadata.deletion_timestamp.is_some();
    object.spec.exposure.as_ref().filter(|_| !leaving).map_or(&[], |exposure| &exposure.hostnames)
}

/// What tells which of two was there first, also when both came in the same second.
fn age(object: &PrivateRegistry) -> (Option<i64>, String) {
    (object.creation_timestamp().map(|time| time.0.as_second()), path(object))
}

fn path(object: &PrivateRegistry) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use kube::{
        core::DeserializeGuard,
        runtime::{reflector, watcher::Event},
    };
    use serde_json::{Value, json};

    use super::*;

    fn object(namespace: &str, second: i64, hostnames: &Value) -> PrivateRegistry {
        let created = format!("2026-01-01T00:00:{second:02}Z");
        let object = json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry",
            "metadata": {"name": "team", "namespace": namespace, "creationTimestamp": created},
            "spec": {"storage": {"ephemeral": {}}, "exposure": {"hostnames": hostnames}}});
        serde_json::from_value(object).unwrap()
    }

    // operator 110
    #[test]
    fn the_registry_that_was_there_first_has_the_name() {
        let (first, second) = (object("a", 1, &json!(["x", "y"])), object("b", 2, &json!(["z", "y"])));
        let third = object("c", 2, &json!(["z"]));
        let (store, mut writer) = reflector::store();
        for one in [&first, &second, &third] {
            writer.apply_watcher_event(&Event::Apply(DeserializeGuard(Ok(one.clone()))));
        }
        let registries = Registries::default();
        registries.add(store);
        let taken = |hostname: &str, by: &str| Some(Taken { hostname: hostname.into(), by: by.into() });
        assert_eq!(registries.taken(&first), None);
        assert_eq!(registries.taken(&second), taken("y", "a/team"));
        assert_eq!(registries.taken(&third), taken("z", "b/team"));
        writer.apply_watcher_event(&Event::Delete(DeserializeGuard(Ok(first))));
        assert_eq!(registries.taken(&second), None);
        assert_eq!(registries.taken(&object("d", 9, &json!([]))), None);
    }
}
