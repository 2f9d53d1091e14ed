//! Names that two registries want: the one that was there first has them, and who waits for one is told when it is free.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::{
    ResourceExt,
    runtime::reflector::{ObjectRef, Store},
};

use crate::{crd::registry::PrivateRegistry, private_registry::wakes::Watched};

/// One of those that are watched.
type Key = ObjectRef<Watched>;

/// All registries that are watched.
#[derive(Default)]
pub struct Registries(Mutex<State>);

#[derive(Default)]
struct State {
    /// Those of each watch, and where its queue is told of one that is to be looked at.
    watches: Vec<(Store<Watched>, UnboundedSender<Key>)>,
    /// Who waits for a name of another's.
    waiting: HashMap<Key, Taken>,
}

/// A name of this registry's that is another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The name.
    pub hostname: String,
    /// Namespace and name of the registry that had it first.
    pub by: String,
}

impl Registries {
    /// Adds those of a watch; gives those among them whose wait is over.
    pub fn add(&self, watched: Store<Watched>) -> UnboundedReceiver<Key> {
        let (free, freed) = unbounded();
        self.state().watches.push((watched, free));
        freed
    }

    /// The first name of `object` that an older registry has, too. Until that one gives it up, `object` waits for it.
    pub fn taken(&self, object: &PrivateRegistry) -> Option<Taken> {
        let (mut state, key) = (self.state(), key(object));
        let taken = state.taken(object);
        match &taken {
            Some(taken) => state.waiting.insert(key, taken.clone()),
            None => state.waiting.remove(&key),
        };
        taken
    }

    /// A watch has told something: those who wait for what nobody has any more are to be looked at.
    pub fn look(&self) {
        let mut state = self.state();
        let over: Vec<Key> =
            state.waiting.iter().filter(|(_, taken)| !state.has(taken)).map(|(key, _)| key.clone()).collect();
        for key in over {
            state.waiting.remove(&key);
            // One that is gone, or whose queue has ended, waits no more.
            let told = state.find(&key).map(|(_, free)| free.unbounded_send(key.clone()));
            tracing::debug!(%key, ?told, "a name is free");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn taken(&self, object: &PrivateRegistry) -> Option<Taken> {
        let wanted = hostnames(object);
        if wanted.is_empty() {
            return None;
        }
        let others: Vec<Arc<Watched>> = self.watches.iter().flat_map(|(store, _)| store.state()).collect();
        let older = others.iter().filter_map(|one| one.0.as_ref().ok()).filter(|one| age(one) < age(object));
        let having = |hostname: &String| {
            let first =
                older.clone().filter(|one| hostnames(one).contains(hostname)).min_by_key(|one| age(one));
            first.map(|one| Taken { hostname: hostname.clone(), by: path(one) })
        };
        wanted.iter().find_map(having)
    }

    /// Whether the one that had the name still has it.
    fn has(&self, taken: &Taken) -> bool {
        let by = taken.by.split_once('/').map(|(namespace, name)| ObjectRef::new(name).within(namespace));
        let found = by.and_then(|by| self.find(&by)).map(|(one, _)| one);
        let object = found.as_ref().and_then(|one| one.0.as_ref().ok());
        object.is_some_and(|object| hostnames(object).contains(&taken.hostname))
    }

    /// One of those that are watched, and where its queue is told.
    fn find(&self, key: &Key) -> Option<(Arc<Watched>, &UnboundedSender<Key>)> {
        self.watches.iter().find_map(|(store, free)| Some((store.get(key)?, free)))
    }
}

fn key(object: &PrivateRegistry) -> Key {
    ObjectRef::new(&object.name_any()).within(&object.namespace().unwrap_or_default())
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
        let _told = registries.add(store);
        let taken = |hostname: &str, by: &str| Some(Taken { hostname: hostname.into(), by: by.into() });
        assert_eq!(registries.taken(&first), None);
        assert_eq!(registries.taken(&second), taken("y", "a/team"));
        assert_eq!(registries.taken(&third), taken("z", "b/team"));
        writer.apply_watcher_event(&Event::Delete(DeserializeGuard(Ok(first))));
        assert_eq!(registries.taken(&second), None);
        assert_eq!(registries.taken(&object("d", 9, &json!([]))), None);
    }
}
