//! The object becomes a model: what is absent gets its meaning, what the schema could not know is checked.

use kube::{Resource, ResourceExt};

use crate::{
    cluster::quantity::bytes,
    crd::{
        auth::User,
        cache::Cache,
        registry::{PrivateRegistry, PrivateRegistrySpec},
        storage::Storage,
    },
    private_registry::{
        desired::{pod_template, server_access},
        error::PassError,
        model::{CacheKind, Model, Store, TlsSource, Wishes},
        names::Names,
    },
};

/// What the operator's release decides.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// Image of registries whose object names none.
    pub image: String,
    /// Image of managed Redis servers whose object names none.
    pub redis_image: String,
    /// Where the operator runs.
    pub namespace: String,
}

/// The model of `object`.
pub fn resolve(object: &PrivateRegistry, defaults: &Defaults) -> Result<Model, PassError> {
    let namespace = object.namespace().ok_or(PassError::Incomplete("a namespace"))?;
    let owner = object.controller_owner_ref(&()).ok_or(PassError::Incomplete("a uid"))?;
    let names = Names { namespace, name: object.name_any() };
    let spec = object.spec.clone();
    let image = spec.image.as_ref().map_or(&defaults.image, |image| &image.reference).clone();
    if let Some(template) = spec.pod.as_ref().and_then(|pod| pod.template.as_ref()) {
        pod_template::check(template)
            .map_err(|problem| PassError::InvalidSpec { field: "spec.pod.template", problem })?;
    }
    server_access::check(&spec)?;
    Ok(Model {
        store: store(&spec.storage, &names),
        tls: tls(&spec),
        cache: cache(spec.cache.clone()),
        users: users(&spec),
        service: spec.exposure.clone().unwrap_or_default().service.unwrap_or_default(),
        wishes: Wishes::of(object.annotations()),
        redis_image: redis_image(&spec, defaults),
        operator_namespace: defaults.namespace.clone(),
        names,
        owner,
        image,
        spec,
    })
}

fn store(storage: &Storage, names: &Names) -> Store {
    match &storage.filesystem {
        None => Store::Ephemeral,
        Some(filesystem) => match &filesystem.existing_claim_name {
            Some(claim) => Store::ExistingClaim(claim.clone()),
            None => Store::OwnClaim(names.data()),
        },
    }
}

fn tls(spec: &PrivateRegistrySpec) -> TlsSource {
    let tls = spec.tls.clone().unwrap_or_default();
    match (tls.disabled, tls.secret_ref) {
        (Some(_), _) => TlsSource::Disabled,
        (None, Some(secret)) => TlsSource::Provided(secret.name),
        (None, None) => TlsSource::SelfSigned(tls.self_signed.unwrap_or_default()),
    }
}

fn cache(cache: Option<Cache>) -> CacheKind {
    let cache = cache.unwrap_or_default();
    if let Some(memory) = cache.memory {
        return CacheKind::Memory(bytes(&memory.max_size.0).unwrap_or_default());
    }
    if cache.none.is_some() {
        return CacheKind::None;
    }
    let redis = cache.redis.unwrap_or_default();
    match redis.external {
        Some(external) => CacheKind::ExternalRedis(external),
        None => CacheKind::ManagedRedis(redis.managed.unwrap_or_default()),
    }
}

fn redis_image(spec: &PrivateRegistrySpec, defaults: &Defaults) -> String {
    let redis = spec.cache.as_ref().and_then(|cache| cache.redis.as_ref());
    let named = redis.and_then(|redis| redis.managed.as_ref()).and_then(|managed| managed.image.clone());
    named.unwrap_or_else(|| defaults.redis_image.clone())
}

/// Absent accounts mean `admin`, unless a token server takes their place.
fn users(spec: &PrivateRegistrySpec) -> Vec<User> {
    let auth = spec.auth.clone().unwrap_or_default();
    match (auth.htpasswd, auth.token.and_then(|token| token.external)) {
        (Some(htpasswd), _) => htpasswd.users,
        (None, Some(_)) => vec![],
        (None, None) => vec![User::generated("admin")],
    }
}
