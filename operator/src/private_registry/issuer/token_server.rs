//! What verifies the tokens of a token server: public keys in a ConfigMap of the user's, as a JWK set or in certificates. What is
//! none leaves the pods what they have.

use crate::{
    crd::{condition::reason, token::TokenServer},
    private_registry::{
        certificates::key_set,
        desired::server_tokens::{file_of, map_of},
        error::{PassError, Problem},
        issuer::{last, text},
        observe::Reader,
    },
};

/// Where the keys are, what of it counts, and what should be there.
struct Source<'a> {
    field: &'static str,
    map: &'a str,
    key: &'a str,
    check: fn(&str) -> Result<String, String>,
    wanted: &'static str,
}

/// The keys of the token server, where there is one, and why they are not those of its ConfigMap.
pub async fn keys(reader: &Reader<'_>) -> Result<(Option<String>, Option<Problem>), PassError> {
    let Some(server) = reader.model.token_server() else { return Ok((None, None)) };
    let Some(Source { field, map, key, check, wanted }) = source(server) else { return Ok((None, None)) };
    let wrong = match text(reader, map, key).await?.as_deref().map(check) {
        Some(Ok(found)) => return Ok((Some(found), None)),
        Some(Err(wrong)) => format!("key {key} of ConfigMap {map} {wrong}"),
        None => format!("there is no key {key} in a ConfigMap {map}"),
    };
    let message = format!("spec.auth.token.external.{field}: {wrong}: put {wanted} there");
    let last = last(reader, &map_of(reader.model, server)).await?.remove(&file_of(server));
    Ok((last, Some(Problem::new(reason::ISSUER_UNAVAILABLE, message))))
}

fn source(server: &TokenServer) -> Option<Source<'_>> {
    let set = server.jwks_ref.as_ref().map(|found| Source {
        field: "jwksRef",
        map: &found.name,
        key: &found.key,
        check: |text| key_set::check(text).map(|()| text.to_owned()),
        wanted: "the token server's public keys, a JWK set,",
    });
    let certificates = server.root_cert_bundle_ref.as_ref().map(|found| Source {
        field: "rootCertBundleRef",
        map: &found.name,
        key: &found.key,
        check: key_set::of_certificates,
        wanted: "the certificates by whose keys the token server signs, in PEM,",
    });
    set.or(certificates)
}
