//! Whom a change of an object wakes: the registry that it belongs to, and those that name it.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{
    Resource, ResourceExt,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::reflector::{ObjectRef, Store},
};

use crate::{
    cluster::echoes::Echoes, crd::registry::PrivateRegistry,
    private_registry::desired::child::REGISTRY_ANNOTATION,
};

const KIND: &str = "PrivateRegistry";
const GROUP: &str = "privateregistry.dev/";

/// An object that cannot be read, because another CRD let it in, is one object's trouble and not everybody's.
pub type Watched = DeserializeGuard<PrivateRegistry>;

/// Whether a registry names the object of some name.
pub type Names = fn(&PrivateRegistry, &str) -> bool;

/// Whom a change of an object of one kind wakes.
pub fn wakes<K>(
    registries: &Store<Watched>,
    echoes: &Arc<Echoes>,
    names: Names,
) -> impl Fn(PartialObjectMeta<K>) -> Vec<ObjectRef<Watched>> + use<K>
where
    PartialObjectMeta<K>: ResourceExt,
{
    let (registries, echoes) = (registries.clone(), Arc::clone(echoes));
    move |object| {
        let named = |registry: &Watched| names_it(registry, &object, names);
        // Only the owner's passes write it: to others it is news.
        let owner = if echoes.heard(object.meta()) { None } else { owner(&object) };
        owner.into_iter().chain(naming(&registries.state_filter(named))).collect()
    }
}

/// Whether a registry of the object's namespace names the object.
fn names_it<K>(registry: &Watched, object: &PartialObjectMeta<K>, names: Names) -> bool
where
    PartialObjectMeta<K>: ResourceExt,
{
    registry.meta().namespace == object.namespace()
        && registry.0.as_ref().is_ok_and(|registry| names(registry, &object.name_any()))
}

/// Those that name an object.
fn naming(registries: &[Arc<Watched>]) -> impl Iterator<Item = ObjectRef<Watched>> {
    registries.iter().map(|registry| ObjectRef::from_obj(registry.as_ref()))
}

/// The registry that an object belongs to. The owner counts whatever version of the API wrote it down. Kept children have
/// no owner: their annotation names the registry.
fn owner<K>(object: &PartialObjectMeta<K>) -> Option<ObjectRef<Watched>>
where
    PartialObjectMeta<K>: ResourceExt,
{
    let namespace = object.namespace()?;
    let ours = |owner: &&OwnerReference| owner.kind == KIND && owner.api_version.starts_with(GROUP);
    let owner = object.owner_references().iter().find(ours);
    let kept = object.annotations().get(REGISTRY_ANNOTATION);
    kept.or(owner.map(|owner| &owner.name)).map(|registry| ObjectRef::new(registry).within(&namespace))
}

/// No registry names objects of this kind.
pub fn nobody(_: &PrivateRegistry, _: &str) -> bool {
    false
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
    let spec = &registry.spec;
    let issuers = spec.auth.iter().flat_map(|auth| &auth.oidc).map(|issuer| &issuer.jwks_ref.name);
    let server = spec.auth.iter().filter_map(|auth| auth.token.as_ref()?.external.as_ref());
    let keys = server.flat_map(|server| {
        let set = server.jwks_ref.iter().map(|found| &found.name);
        set.chain(server.root_cert_bundle_ref.iter().map(|found| &found.name))
    });
    let clients = spec.tls.iter().filter_map(|tls| tls.client_ca_ref.as_ref()).map(|found| &found.name);
    let redis = spec.cache.iter().filter_map(|cache| cache.redis.as_ref()?.external.as_ref()?.tls.as_ref());
    let bundles = redis.map(|tls| &tls.ca_bundle_ref.name);
    issuers.chain(keys).chain(clients).chain(bundles).any(|found| found == name)
}

/// Whether the registry keeps its images on the claim.
pub fn names_claim(registry: &PrivateRegistry, name: &str) -> bool {
    let filesystem = registry.spec.storage.filesystem.as_ref();
    filesystem.and_then(|volume| volume.existing_claim_name.as_ref()).is_some_and(|claim| claim == name)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::{apps::v1::Deployment, core::v1::Secret};
    use kube::runtime::{reflector, watcher::Event};
    use serde_json::{Value, json};

    use super::*;

    fn woken<K>(metadata: Value, names: Names) -> Vec<String>
    where
        PartialObjectMeta<K>: ResourceExt + serde::de::DeserializeOwned,
    {
        woken_but_for(&Arc::default(), metadata, names)
    }

    fn woken_but_for<K>(echoes: &Arc<Echoes>, metadata: Value, names: Names) -> Vec<String>
    where
        PartialObjectMeta<K>: ResourceExt + serde::de::DeserializeOwned,
    {
        let registry = json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": KIND,
            "metadata": {"name": "team", "namespace": "tools"},
            "spec": {"storage": {"ephemeral": {}}, "tls": {"secretRef": {"name": "own"}}}});
        let (store, mut writer) = reflector::store();
        writer.apply_watcher_event(&Event::Apply(serde_json::from_value::<Watched>(registry).unwrap()));
        let object: PartialObjectMeta<K> = serde_json::from_value(json!({"metadata": metadata})).unwrap();
        wakes(&store, echoes, names)(object).into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn a_registry_names_the_maps_whose_content_it_hands_on() {
        let server = |reference: &str| {
            json!({"auth": {"token": {"external": {"realm": "https://a", "service": "r", "issuer": "a",
                reference: {"name": "own"}}}}})
        };
        let oidc =
            json!([{"name": "a", "issuer": "https://a", "audiences": ["r"], "jwksRef": {"name": "own"}}]);
        let external = json!({"addresses": ["a:1"], "tls": {"caBundleRef": {"name": "own"}}});
        for part in [
            server("jwksRef"),
            server("rootCertBundleRef"),
            json!({"auth": {"oidc": oidc}}),
            json!({"tls": {"clientCARef": {"name": "own"}}}),
            json!({"cache": {"redis": {"external": external}}}),
        ] {
            let mut spec = part;
            spec["storage"] = json!({"ephemeral": {}});
            let object = json!({"metadata": {"name": "team"}, "spec": spec});
            let registry: PrivateRegistry = serde_json::from_value(object).unwrap();
            assert!(names_bundle(&registry, "own") && !names_bundle(&registry, "another"), "{registry:?}");
        }
    }

    #[test]
    fn what_a_pass_has_written_wakes_those_that_name_it() {
        let metadata = json!({"name": "own", "namespace": "tools", "uid": "1", "resourceVersion": "5",
            "annotations": {REGISTRY_ANNOTATION: "a"}});
        let echoes = Arc::<Echoes>::default();
        echoes.expect(&serde_json::from_value(metadata.clone()).unwrap());
        assert_eq!(woken_but_for::<Secret>(&echoes, metadata.clone(), names_secret), ["team"]);
        assert_eq!(woken_but_for::<Secret>(&echoes, metadata, names_secret), ["a", "team"]);
    }

    // operator 75: owners of an older version of the API wake all the same
    #[test]
    fn an_owner_is_woken_whatever_version_wrote_it_down() {
        for (version, expected) in [
            ("privateregistry.dev/v1alpha1", vec!["a"]),
            ("privateregistry.dev/v1alpha0", vec!["a"]),
            ("other.dev/v1", vec![]),
        ] {
            let owner = json!([{"apiVersion": version, "kind": KIND, "name": "a", "uid": "1"}]);
            let metadata = json!({"name": "x", "namespace": "tools", "ownerReferences": owner});
            assert_eq!(woken::<Deployment>(metadata, nobody), expected, "{version}");
        }
    }

    #[test]
    fn what_is_kept_and_what_is_named_wakes_its_registry() {
        let kept = json!({"name": "x", "namespace": "tools", "annotations": {REGISTRY_ANNOTATION: "a"}});
        assert_eq!(woken::<Secret>(kept, names_secret), ["a"]);
        for (name, namespace, expected) in
            [("own", "tools", vec!["team"]), ("own", "other", vec![]), ("another", "tools", vec![])]
        {
            let named = json!({"name": name, "namespace": namespace});
            assert_eq!(woken::<Secret>(named, names_secret), expected, "{namespace}/{name}");
        }
    }
}
