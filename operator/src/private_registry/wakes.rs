//! Whom a change of an object wakes: the registry that it belongs to, and those that name it.

use kube::{
    Resource, ResourceExt,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::reflector::{ObjectRef, Store},
};

use crate::{crd::registry::PrivateRegistry, private_registry::desired::child::REGISTRY_ANNOTATION};

/// An object that cannot be read, because another CRD let it in, is one object's trouble and not everybody's.
pub type Watched = DeserializeGuard<PrivateRegistry>;

/// Registries that an object belongs to or that name it. Kept children have no owner: their annotation names the
/// registry.
pub fn concerned<K>(
    object: &PartialObjectMeta<K>,
    registries: &Store<Watched>,
    names: fn(&PrivateRegistry, &str) -> bool,
) -> Vec<ObjectRef<Watched>>
where
    PartialObjectMeta<K>: ResourceExt,
{
    let Some(namespace) = object.namespace() else { return vec![] };
    let name = object.name_any();
    let owner = object.owner_references().iter().find(|owner| owner.kind == "PrivateRegistry");
    let kept = object.annotations().get(REGISTRY_ANNOTATION);
    let mut found: Vec<ObjectRef<Watched>> = kept
        .or(owner.map(|owner| &owner.name))
        .map(|registry| ObjectRef::new(registry).within(&namespace))
        .into_iter()
        .collect();
    let users = registries
        .state()
        .into_iter()
        .filter(|registry| registry.meta().namespace.as_ref() == Some(&namespace))
        .filter(|registry| registry.0.as_ref().is_ok_and(|registry| names(registry, &name)));
    found.extend(users.map(|registry| ObjectRef::from_obj(registry.as_ref())));
    found
}

/// Whether the registry reads the Secret.
pub fn names_secret(registry: &PrivateRegistry, name: &str) -> bool {
    let spec = &registry.spec;
    let tls =
        spec.tls.as_ref().and_then(|tls| tls.secret_ref.as_ref()).is_some_and(|found| found.name == name);
    let htpasswd = spec.auth.as_ref().and_then(|auth| auth.htpasswd.as_ref());
    let cache =
        spec.cache.as_ref().and_then(|cache| cache.redis.as_ref()).and_then(|redis| redis.external.as_ref());
    let redis = cache.is_some_and(|redis| {
        let client = redis.tls.as_ref().and_then(|tls| tls.client_secret_ref.as_ref());
        let logins = redis.credentials_secret_ref.iter().chain(&redis.sentinel_credentials_secret_ref);
        logins.chain(client).any(|found| found.name == name)
    });
    tls || redis
        || htpasswd.is_some_and(|htpasswd| {
            htpasswd.secret_ref.as_ref().is_some_and(|found| found.name == name)
                || htpasswd
                    .users
                    .iter()
                    .filter_map(|user| user.password_secret_ref.as_ref())
                    .any(|found| found.name == name)
        })
}

/// Whether the registry reads the ConfigMap.
pub fn names_bundle(registry: &PrivateRegistry, name: &str) -> bool {
    let redis = registry.spec.cache.as_ref().and_then(|cache| cache.redis.as_ref());
    let tls = redis.and_then(|redis| redis.external.as_ref()).and_then(|external| external.tls.as_ref());
    tls.is_some_and(|tls| tls.ca_bundle_ref.name == name)
}

/// Whether the registry keeps its images on the claim.
pub fn names_claim(registry: &PrivateRegistry, name: &str) -> bool {
    let filesystem = registry.spec.storage.filesystem.as_ref();
    filesystem.and_then(|volume| volume.existing_claim_name.as_ref()).is_some_and(|claim| claim == name)
}
