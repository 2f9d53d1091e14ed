//! Who signs the tokens of the cluster's service accounts, and with which keys: the registry verifies them by itself.
//!
//! Source: Kubernetes, "Service Account Issuer Discovery" (KEP-1393).

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use serde_json::Value;

use crate::{
    crd::condition::reason,
    private_registry::{
        desired::{server_access::Issuer, server_config::KEYS},
        error::{PassError, Problem},
        observe::{Reader, failed},
    },
};

/// The cluster's issuer, where its tokens count as a login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The issuer; the last one that was found, when the API server does not tell.
    pub issuer: Option<Issuer>,
    /// Why it does not tell.
    pub problem: Option<Problem>,
}

/// Asks the API server.
pub async fn gather(reader: &Reader<'_>) -> Result<Found, PassError> {
    if reader.model.spec.auth.as_ref().is_none_or(|auth| auth.service_accounts.is_none()) {
        return Ok(Found::default());
    }
    match ask(reader).await {
        Ok(issuer) => Ok(Found { issuer: Some(issuer), problem: None }),
        Err(kube::Error::Api(status)) => unknown(reader, &status.message).await,
        // It answers, and not with what it should.
        Err(error @ kube::Error::SerdeError(_)) => unknown(reader, &error.to_string()).await,
        Err(error) => Err(failed(|| "read who signs tokens of service accounts".into())(error)),
    }
}

/// The pods keep what they have.
async fn unknown(reader: &Reader<'_>, said: &str) -> Result<Found, PassError> {
    let message = format!(
        "spec.auth.serviceAccounts: the API server does not tell who signs tokens ({said}): if that is forbidden, bind \
         ClusterRole system:service-account-issuer-discovery to the operator's service account"
    );
    let problem = Some(Problem::new(reason::ISSUER_UNAVAILABLE, message));
    Ok(Found { issuer: last(reader).await?, problem })
}

async fn ask(reader: &Reader<'_>) -> Result<Issuer, kube::Error> {
    let discovery = read(reader, "/.well-known/openid-configuration").await?;
    let keys = read(reader, "/openid/v1/jwks").await?;
    let name = discovery["issuer"].as_str().map(str::to_owned).ok_or_else(|| missing("issuer"))?;
    // In the order of names, so that the same keys are the same text.
    Ok(Issuer { name, keys: keys.to_string() })
}

fn missing(field: &'static str) -> kube::Error {
    kube::Error::SerdeError(<serde_json::Error as serde::de::Error>::missing_field(field))
}

async fn read(reader: &Reader<'_>, path: &str) -> Result<Value, kube::Error> {
    let request = http::Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
    reader.client.request(request).await
}

/// What running pods have.
async fn last(reader: &Reader<'_>) -> Result<Option<Issuer>, PassError> {
    let names = &reader.model.names;
    let maps: Api<ConfigMap> = Api::namespaced(reader.client.clone(), &names.namespace);
    let read = maps.get_opt(&names.live()).await.map_err(failed(|| format!("read {}", names.live())))?;
    let data = read.and_then(|map| map.data).unwrap_or_default();
    let file = data.get("live.yml").and_then(|text| serde_saphyr::from_str::<Value>(text).ok());
    let name = file.and_then(|file| file["serviceaccounts"]["issuer"].as_str().map(str::to_owned));
    Ok(name.zip(data.get(KEYS).cloned()).map(|(name, keys)| Issuer { name, keys }))
}
