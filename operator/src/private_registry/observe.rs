//! Reads what a pass needs to know.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, ListParams, ObjectMeta, TypeMeta},
};
use serde_json::{Value, json};

use crate::{
    cluster::{
        apply::{Family, MANAGER, api},
        echoes::Echoes,
    },
    private_registry::{
        error::PassError,
        model::Model,
        stock::{KINDS, Stock},
    },
};

/// A Secret as the cluster has it.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Its metadata.
    pub metadata: ObjectMeta,
    data: BTreeMap<String, Vec<u8>>,
}

impl Stored {
    /// The value of `key`.
    pub fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.data.get(key).map(Vec::as_slice).filter(|value| !value.is_empty())
    }

    /// The value of `key`, when it is text.
    pub fn text(&self, key: &str) -> Option<String> {
        self.bytes(key).and_then(|value| String::from_utf8(value.to_vec()).ok())
    }

    /// An annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// Changes whenever the object does.
    pub fn version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }
}

impl From<Secret> for Stored {
    fn from(secret: Secret) -> Self {
        let data = secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
        Self { metadata: secret.metadata, data }
    }
}

/// Reads in the namespace of one registry, in one pass.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The cluster.
    pub client: &'a Client,
    /// Objects outside namespaces may be read.
    pub cluster_wide: bool,
    /// The registry.
    pub model: &'a Model,
    /// The clock of the pass, in seconds since 1970.
    pub now: i64,
    /// What the pass has read and written.
    pub stock: &'a Stock,
    /// What the pass has written is told here, too.
    pub echoes: &'a Echoes,
}

impl<'a> Reader<'a> {
    /// Whose children are ours.
    pub fn family(&self) -> Family<'a> {
        let model = self.model;
        Family { instance: &model.names.name, uid: &model.owner.uid, adopt: model.wishes.adopt() }
    }

    /// One Secret.
    pub async fn secret(&self, name: &str) -> Result<Option<Stored>, PassError> {
        let found = self.object("v1", "Secret", name).await?;
        found.map(|secret| self.stored(&secret)).transpose()
    }

    /// What a Secret holds; from now on the pass knows it so.
    pub fn stored(&self, secret: &DynamicObject) -> Result<Stored, PassError> {
        self.stock.put("Secret", secret);
        let typed = secret.clone().try_parse::<Secret>();
        typed.map(Stored::from).map_err(|_| PassError::Incomplete("a Secret's data"))
    }

    /// Reads all children that carry the labels of this registry.
    pub async fn take_stock(&self) -> Result<(), PassError> {
        let lists = KINDS.map(|(api_version, kind)| async move {
            Ok::<_, PassError>((kind, self.listed(api_version, kind).await?))
        });
        for (kind, objects) in try_join_all(lists).await? {
            objects.iter().for_each(|object| self.stock.put(kind, object));
        }
        Ok(())
    }

    /// One object of the namespace, as the pass knows it or, if it does not, as it is.
    pub async fn object(
        &self,
        api_version: &str,
        kind: &str,
        name: &str,
    ) -> Result<Option<DynamicObject>, PassError> {
        match self.stock.get(kind, name) {
            Some(known) => Ok(Some(known)),
            None => {
                let read = self.read(api_version, kind, name).await?;
                read.iter().for_each(|read| self.stock.put(kind, read));
                Ok(read)
            }
        }
    }

    /// One object of the namespace, as it is.
    pub async fn read(
        &self,
        api_version: &str,
        kind: &str,
        name: &str,
    ) -> Result<Option<DynamicObject>, PassError> {
        let read = self.api(api_version, kind).get_opt(name).await;
        read.map_err(failed(|| format!("read {kind} {name}")))
    }

    /// Objects of the namespace that carry the labels of this registry, as the pass knows them.
    pub async fn children(&self, api_version: &str, kind: &str) -> Result<Vec<DynamicObject>, PassError> {
        match self.stock.all(kind) {
            Some(known) => Ok(known.into_iter().filter(|one| self.labelled(one)).collect()),
            None => self.listed(api_version, kind).await,
        }
    }

    /// Labels of every child.
    fn labels(&self) -> [(&'static str, &str); 2] {
        [("app.kubernetes.io/managed-by", MANAGER), ("app.kubernetes.io/instance", &self.model.names.name)]
    }

    fn labelled(&self, object: &DynamicObject) -> bool {
        self.labels().iter().all(|(key, value)| object.labels().get(*key).is_some_and(|found| found == value))
    }

    /// Objects of the namespace that carry the labels of this registry, as they are.
    pub async fn listed(&self, api_version: &str, kind: &str) -> Result<Vec<DynamicObject>, PassError> {
        let labels = self.labels().map(|(key, value)| format!("{key}={value}")).join(",");
        let found = self.api(api_version, kind).list(&ListParams::default().labels(&labels)).await;
        let mut found = found.map_err(failed(|| format!("list {kind} objects")))?.items;
        // Objects of a list do not say what they are.
        let types = TypeMeta { api_version: api_version.to_owned(), kind: kind.to_owned() };
        found.iter_mut().for_each(|object| object.types = Some(types.clone()));
        Ok(found)
    }

    /// Objects of `kind` in the namespace.
    pub fn api(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        let template = json!({"apiVersion": api_version, "kind": kind,
            "metadata": {"namespace": self.model.names.namespace}});
        api(self.client, &template)
    }

    /// The storage classes of the cluster; `None` where the operator may not see them.
    pub async fn storage_classes(&self) -> Result<Option<Vec<Class>>, PassError> {
        use k8s_openapi::api::storage::v1::StorageClass;
        if !self.cluster_wide {
            return Ok(None);
        }
        match Api::<StorageClass>::all(self.client.clone()).list(&ListParams::default()).await {
            Ok(classes) => Ok(Some(classes.items.into_iter().map(Class::from).collect())),
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
            Err(error) => Err(failed(|| "list StorageClasses".to_owned())(error)),
        }
    }
}

/// A storage class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// It serves claims that name no class.
    pub default: bool,
    /// Its volumes can grow.
    pub expandable: bool,
}

impl From<k8s_openapi::api::storage::v1::StorageClass> for Class {
    fn from(class: k8s_openapi::api::storage::v1::StorageClass) -> Self {
        let annotations = class.metadata.annotations.unwrap_or_default();
        let default = annotations.get("storageclass.kubernetes.io/is-default-class");
        Self {
            name: class.metadata.name.unwrap_or_default(),
            default: default.is_some_and(|value| value == "true"),
            expandable: class.allow_volume_expansion == Some(true),
        }
    }
}

/// An error of the API server, with what was tried.
pub fn failed(what: impl Fn() -> String) -> impl Fn(kube::Error) -> PassError {
    move |source| PassError::Cluster { what: what(), source: Box::new(source) }
}

/// An object as JSON.
pub fn json_of(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}
