//! One registry, resolved: what the builders read. Made by `resolve`, never changed.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use crate::{crd::registry::PrivateRegistrySpec, private_registry::names::Names};

/// One registry, with all that its children are made of.
#[derive(Clone, Debug)]
pub struct Model {
    /// Names of the children.
    pub names: Names,
    /// What the user asked for.
    pub spec: PrivateRegistrySpec,
    /// The object as owner.
    pub owner: OwnerReference,
    /// Image of the registry pods.
    pub image: String,
    /// Namespace of the operator, which may reach the admin port.
    pub operator_namespace: String,
}

impl Model {
    /// Pods that are wanted.
    pub fn replicas(&self) -> i32 {
        if self.spec.suspend { 0 } else { self.spec.replicas }
    }

    /// DNS names of the certificate and the pull Secret; the user's come first.
    pub fn hosts(&self) -> Vec<String> {
        let mut hosts = self.spec.exposure.clone().unwrap_or_default().hostnames;
        hosts.extend(self.names.service_hosts());
        hosts
    }

    /// Where clients go.
    pub fn url(&self) -> String {
        let hostnames = self.spec.exposure.clone().unwrap_or_default().hostnames;
        let service = format!("{}.{}.svc", self.names.registry(), self.names.namespace);
        format!("https://{}", hostnames.first().unwrap_or(&service))
    }
}
