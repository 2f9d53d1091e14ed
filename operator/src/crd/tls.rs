//! `spec.tls`: where the certificate comes from. Absent: a CA of the registry's own.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crd::{
    duration::Duration,
    reference::{NameRef, ca_crt},
};

/// At most one source of the certificate.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("(has(self.selfSigned) ? 1 : 0) + (has(self.secretRef) ? 1 : 0) + (has(self.disabled) ? 1 : 0) <= 1")
    .message("set at most one of selfSigned, secretRef and disabled"),
    validation = Rule::new("!has(self.clientCARef) || !has(self.disabled)").message("clientCARef needs TLS"))]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// A CA of the registry's own, whose certificate is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_signed: Option<SelfSigned>,
    /// A Secret of type `kubernetes.io/tls`: it is checked, then served. `ca.crt` in it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<NameRef>,
    /// Plain HTTP, behind a ClusterIP Service only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// A client that shows a certificate of this CA is who the certificate says, and needs no password. Rules of `auth.access`
    /// say what it may do: without rules, nothing.
    #[serde(default, rename = "clientCARef", skip_serializing_if = "Option::is_none")]
    pub client_ca_ref: Option<ClientCaRef>,
}

/// Certificates of the CA of clients, in a ConfigMap of the same namespace. The operator hands them to the pods whenever they
/// change.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ClientCaRef {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
    /// Its key.
    #[serde(default = "ca_crt")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
    /// Which name in a client's certificate says who it is: `NAME` in `cert:NAME`.
    #[serde(default)]
    pub identity: ClientIdentity,
}

/// `tls.clientCARef.identity`: a kind of subject alternative name.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientIdentity {
    /// A URI, such as a SPIFFE id.
    #[default]
    URI,
    /// A host name.
    DNS,
    /// A mail address.
    Email,
}

/// `tls.disabled`: no settings.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Disabled {}

/// How long certificates of the registry's own CA live. Each is replaced at two thirds of its life.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(
    validation = Rule::new("duration(self.caLifetime) >= duration(self.certificateLifetime) + duration(self.certificateLifetime)")
        .message("caLifetime must be at least twice certificateLifetime"),
    validation = Rule::new("duration(self.certificateLifetime) >= duration('1h')")
        .message("certificateLifetime must be at least 1h"))]
#[serde(rename_all = "camelCase")]
pub struct SelfSigned {
    /// Life of the served certificate.
    #[serde(default = "certificate_lifetime")]
    pub certificate_lifetime: Duration,
    /// Life of the CA.
    #[serde(default = "ca_lifetime")]
    pub ca_lifetime: Duration,
}

impl Default for SelfSigned {
    fn default() -> Self {
        Self { certificate_lifetime: certificate_lifetime(), ca_lifetime: ca_lifetime() }
    }
}

fn certificate_lifetime() -> Duration {
    "2160h".into()
}

fn ca_lifetime() -> Duration {
    "87600h".into()
}
