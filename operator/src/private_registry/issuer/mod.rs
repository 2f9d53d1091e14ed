//! Whose tokens and certificates count as a login, and what verifies them: the registry does that by itself. The cluster tells
//! its own public keys; those of others, and the CA of clients, are in ConfigMaps of the user's. What cannot be had leaves the
//! pods what they have.
//!
//! Source: Kubernetes, "Service Account Issuer Discovery" (KEP-1393); RFC 7517.

mod cluster;
mod token_server;

use std::collections::BTreeMap;

use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{
    cluster::deployment::mounted_map,
    crd::{auth::Auth, condition::reason, oidc::Oidc},
    private_registry::{
        certificates::{inspect, key_set},
        desired::{
            server_access::{self, Issuer, Issuers},
            server_config::keys_of,
            server_tokens::live_of,
        },
        error::{PassError, Problem},
        observe::Reader,
    },
};

/// Issuers and their keys, as far as they can be had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// With the last keys that were found, where there are none now.
    pub issuers: Issuers,
    /// Why one cannot be had.
    pub problem: Option<Problem>,
}

/// Asks the API server for its own, and reads those of others.
pub async fn gather(reader: &Reader<'_>) -> Result<Found, PassError> {
    let (clients, problem) = clients(reader).await?;
    let (token_server, unverified) = token_server::keys(reader).await?;
    let found = tokens(reader).await?;
    Ok(Found {
        issuers: Issuers { clients, token_server, ..found.issuers },
        problem: unverified.or(found.problem).or(problem),
    })
}

/// Certificates of the CA of clients, and why they are not those of its ConfigMap. Nothing else of that file is handed on.
async fn clients(reader: &Reader<'_>) -> Result<(Option<String>, Option<Problem>), PassError> {
    let tls = reader.model.spec.tls.as_ref();
    let Some(reference) = tls.and_then(|tls| tls.client_ca_ref.as_ref()) else { return Ok((None, None)) };
    let text = text(reader, &reference.name, &reference.key).await?;
    let wrong = match text.as_deref().map(authorities) {
        Some(Some(found)) => return Ok((Some(found), None)),
        Some(None) => {
            format!("key {} of ConfigMap {} has no readable certificate", reference.key, reference.name)
        }
        None => format!("there is no key {} in a ConfigMap {}", reference.key, reference.name),
    };
    let message =
        format!("spec.tls.clientCARef: {wrong}: put the certificates of the clients' CA there, in PEM");
    let last = last(reader, &reader.model.names.clients()).await?.remove("ca.crt");
    Ok((last, Some(Problem::new(reason::ISSUER_UNAVAILABLE, message))))
}

/// The certificates of a file, if the registry takes each of them: one that it refuses would keep it from starting.
fn authorities(text: &str) -> Option<String> {
    let found: String = inspect::chain(text)?.into_iter().map(|(block, _)| block).collect();
    let mut roots = rustls::RootCertStore::empty();
    let taken = CertificateDer::pem_slice_iter(found.as_bytes())
        .all(|der| der.is_ok_and(|der| roots.add(der).is_ok()));
    taken.then_some(found)
}

/// What a ConfigMap of the user's has under `key`.
async fn text(reader: &Reader<'_>, map: &str, key: &str) -> Result<Option<String>, PassError> {
    let map = reader.object("v1", "ConfigMap", map).await?;
    Ok(map.and_then(|map| map.data["data"][key].as_str().map(str::to_owned)))
}

async fn tokens(reader: &Reader<'_>) -> Result<Found, PassError> {
    let Some(auth) = &reader.model.spec.auth else { return Ok(Found::default()) };
    let mut found = match &auth.service_accounts {
        Some(_) => cluster::issuer(reader).await?,
        None => Found::default(),
    };
    check_beside(auth, found.issuers.cluster.as_ref())?;
    for issuer in &auth.oidc {
        let (keys, problem) = keys(reader, issuer).await?;
        found.issuers.keys.extend(keys.map(|keys| (keys_of(issuer), keys)));
        found.problem = found.problem.or(problem);
    }
    Ok(found)
}

/// The cluster is no issuer beside itself: a token would be two users.
fn check_beside(auth: &Auth, cluster: Option<&Issuer>) -> Result<(), PassError> {
    let same = |(_, name): &(&str, &str)| cluster.is_some_and(|cluster| cluster.name == *name);
    match server_access::issuers(auth).find(same) {
        None => Ok(()),
        Some((field, name)) => {
            let problem = format!(
                "names {name}, which is this cluster: spec.auth.serviceAccounts takes its tokens already; take one of them out"
            );
            Err(PassError::InvalidSpec { field, problem })
        }
    }
}

/// Keys of an issuer that the object names, and why they are not those of its ConfigMap.
async fn keys(reader: &Reader<'_>, issuer: &Oidc) -> Result<(Option<String>, Option<Problem>), PassError> {
    let reference = &issuer.jwks_ref;
    let text = text(reader, &reference.name, &reference.key).await?;
    let wrong = match text.as_deref().map(key_set::check) {
        Some(Ok(())) => return Ok((text, None)),
        Some(Err(wrong)) => format!("key {} of ConfigMap {} {wrong}", reference.key, reference.name),
        None => format!("there is no key {} in a ConfigMap {}", reference.key, reference.name),
    };
    let message = format!(
        "spec.auth.oidc: issuer {}: {wrong}: put the issuer's public keys there, a JWK set",
        issuer.name
    );
    let last = last_live(reader).await?.remove(&keys_of(issuer));
    Ok((last, Some(Problem::new(reason::ISSUER_UNAVAILABLE, message))))
}

/// What pods have beside the live file and, before the first of those that are wanted, what those before them have there.
async fn last_live(reader: &Reader<'_>) -> Result<BTreeMap<String, String>, PassError> {
    let wanted = last(reader, &live_of(reader.model)).await?;
    if !wanted.is_empty() {
        return Ok(wanted);
    }
    let deployment = reader.object("apps/v1", "Deployment", &reader.model.names.registry()).await?;
    match deployment.as_ref().and_then(|live| mounted_map(&live.data, "live")) {
        Some(name) => last(reader, name).await,
        None => Ok(wanted),
    }
}

/// What running pods have: files by name.
async fn last(reader: &Reader<'_>, name: &str) -> Result<BTreeMap<String, String>, PassError> {
    let map = reader.object("v1", "ConfigMap", name).await?;
    let data = map.map(|map| map.data["data"].clone()).unwrap_or_default();
    Ok(serde_json::from_value(data).unwrap_or_default())
}
