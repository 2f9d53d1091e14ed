//! `status`: what the operator made, and how it is.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator made, and how it is. Nothing in it shows a clock.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PrivateRegistryStatus {
    /// Generation of the object that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where clients go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Every way to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_string()]))]
    pub endpoints: Vec<Endpoint>,
    /// Pods that exist.
    #[serde(default)]
    pub replicas: i32,
    /// Pods that answer.
    #[serde(default)]
    pub ready_replicas: i32,
    /// Labels of the pods, for the scale subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// The CA that clients must trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundle>,
    /// The certificate that is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateStatus>,
    /// Where the accounts are; absent where a token server takes their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<AccountsStatus>,
    /// The store in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageStatus>,
    /// What runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<Versions>,
    /// How each part is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_string()]))]
    pub conditions: Vec<Condition>,
}

/// `status.caBundle`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CaBundle {
    /// ConfigMap in the object's namespace.
    pub config_map_name: String,
    /// Its key.
    pub key: String,
    /// SHA-256 of its content, hex: tells copies of it apart.
    pub sha256: String,
}

/// One of `status.endpoints`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// `service` or `loadBalancer`.
    pub name: String,
    /// Where clients go.
    pub url: String,
}

/// `status.certificate`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CertificateStatus {
    /// Secret of type `kubernetes.io/tls`.
    pub secret_name: String,
    /// `selfSigned` or `secretRef`.
    pub issuer: String,
    /// Names that it covers.
    pub dns_names: Vec<String>,
    /// Addresses that it covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_addresses: Vec<String>,
    /// RFC 3339.
    pub not_before: String,
    /// RFC 3339.
    pub not_after: String,
    /// When the operator will renew it, RFC 3339; absent: that is not the operator's work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_time: Option<String>,
}

/// `status.accounts`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AccountsStatus {
    /// Secret with the name and password of `admin`, when that account is one of the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_secret_name: Option<String>,
    /// Secret of type `kubernetes.io/dockerconfigjson`, for pulls.
    pub pull_secret_name: String,
    /// Accounts that can log in.
    pub users: i32,
    /// Lines of a password file of your own whose hash is weaker than bcrypt.
    pub weak_hashes: i32,
    /// Lines of it that nobody can log in with.
    pub unusable: i32,
}

/// `status.storage`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StorageStatus {
    /// `filesystem` or `ephemeral`.
    pub backend: String,
    /// The claim, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<String>,
    /// What is used of it, rounded to a hundredth, and taken up every ten minutes at most; absent, where the volume is no file
    /// system of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
    /// Identity of the store: the server starts on no other one.
    #[serde(default, rename = "storeID", skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
}

/// `status.versions`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Versions {
    /// The operator's version.
    pub operator: String,
    /// The registry's version: the tag of its image, or the beginning of the digest that it is pinned to.
    #[serde(default)]
    pub registry: String,
    /// The registry's image.
    pub image: String,
    /// The managed Redis' version, where there is one: the tag of its image, or the beginning of the digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<String>,
}
