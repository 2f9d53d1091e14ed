//! Who signs the tokens of the cluster's service accounts, as the API server tells it. A set of keys that the registry would
//! refuse is as good as none: the pods keep what they have.

use serde_json::Value;

use crate::{
    crd::condition::reason,
    private_registry::{
        certificates::key_set,
        desired::{
            server_access::{Issuer, Issuers},
            server_config::KEYS,
        },
        error::{PassError, Problem},
        issuer::{Found, last_live},
        observe::{Reader, failed},
    },
};

/// Where the API server tells what it calls itself.
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Where it tells its public keys.
const SET: &str = "/openid/v1/jwks";

/// The cluster's issuer and keys, or those that the pods have, and why.
pub async fn issuer(reader: &Reader<'_>) -> Result<Found, PassError> {
    let wrong = match ask(reader).await {
        Ok(issuer) => match key_set::check(&issuer.keys) {
            Ok(()) => return Ok(Found { issuers: of_cluster(Some(issuer)), problem: None }),
            Err(wrong) => refused(&wrong),
        },
        Err(kube::Error::Api(status)) => untold(&status.message),
        // It answers, and not with what it should.
        Err(error @ kube::Error::SerdeError(_)) => untold(&error.to_string()),
        Err(error) => return Err(failed(|| "read who signs tokens of service accounts".into())(error)),
    };
    let problem = Some(Problem::new(reason::ISSUER_UNAVAILABLE, wrong));
    Ok(Found { issuers: of_cluster(before(reader).await?), problem })
}

fn of_cluster(cluster: Option<Issuer>) -> Issuers {
    Issuers { cluster, ..Issuers::default() }
}

fn refused(wrong: &str) -> String {
    format!(
        "spec.auth.serviceAccounts: what the API server tells at {SET} {wrong}. Its flags \
         --service-account-signing-key-file and --service-account-key-file say which keys it has"
    )
}

fn untold(said: &str) -> String {
    format!(
        "spec.auth.serviceAccounts: the API server does not tell who signs tokens ({said}): if that is forbidden, bind \
         ClusterRole system:service-account-issuer-discovery to the operator's service account"
    )
}

/// What the pods have.
async fn before(reader: &Reader<'_>) -> Result<Option<Issuer>, PassError> {
    let mut last = last_live(reader).await?;
    let file = last.get("live.yml").and_then(|text| serde_saphyr::from_str::<Value>(text).ok());
    let name = file.and_then(|file| file["serviceaccounts"]["issuer"].as_str().map(str::to_owned));
    Ok(name.zip(last.remove(KEYS)).map(|(name, keys)| Issuer { name, keys }))
}

async fn ask(reader: &Reader<'_>) -> Result<Issuer, kube::Error> {
    let discovery = read(reader, DISCOVERY).await?;
    let keys = read(reader, SET).await?;
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
