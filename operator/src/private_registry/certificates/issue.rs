//! New certificates of a registry's own CA.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::OffsetDateTime;

use crate::private_registry::{
    certificates::{inspect::Pair, provided},
    error::ResolveError,
};

/// Certificates begin this long before they are made, for nodes whose clocks are behind.
pub const GRACE: i64 = 3600;

/// A new CA for `registry` that lives for `lifetime` seconds from `now` on.
pub fn authority(registry: &str, now: i64, lifetime: u64) -> Result<Pair, ResolveError> {
    let mut params = params(vec![], now, lifetime)?;
    params.distinguished_name.push(DnType::CommonName, format!("{registry} registry CA"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(failed("make the CA's key"))?;
    let certificate = params.self_signed(&key).map_err(failed("sign the CA"))?;
    Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// A new leaf for `names` (DNS names and IP addresses), signed by `authority`.
pub fn leaf(authority: &Pair, names: &[String], now: i64, lifetime: u64) -> Result<Pair, ResolveError> {
    let mut params = params(names.to_vec(), now, lifetime)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let signing_key = KeyPair::from_pem(&authority.key).map_err(failed("read the CA's key"))?;
    let issuer =
        Issuer::from_ca_cert_pem(&authority.certificate, signing_key).map_err(failed("read the CA"))?;
    let key = KeyPair::generate().map_err(failed("make the certificate's key"))?;
    let certificate = params.signed_by(&key, &issuer).map_err(failed("sign the certificate"))?;
    Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// Whether certificates can be signed with `authority`: its key is one, and its own.
pub fn signs(authority: &Pair) -> bool {
    KeyPair::from_pem(&authority.key).is_ok() && provided::fits(authority)
}

fn params(names: Vec<String>, now: i64, lifetime: u64) -> Result<CertificateParams, ResolveError> {
    let mut params = CertificateParams::new(names).map_err(failed("use the registry's names"))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    let now = OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    params.not_before = now - Duration::from_secs(GRACE.unsigned_abs());
    params.not_after = now + Duration::from_secs(lifetime);
    Ok(params)
}

fn failed(what: &'static str) -> impl Fn(rcgen::Error) -> ResolveError {
    move |source| ResolveError::Certificate { what, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::private_registry::certificates::inspect;

    // operator 41
    #[test]
    fn a_leaf_names_exactly_what_was_asked_for() {
        let mut names = vec!["team-registry.tools.svc".to_owned(), "10.96.12.34".to_owned()];
        let authority = authority("team", 1_800_000_000, 7200).unwrap();
        let leaf = leaf(&authority, &names, 1_800_000_000, 3600).unwrap();
        let facts = inspect::first(&leaf.certificate).unwrap();
        names.sort();
        assert_eq!(facts.names, names);
        assert_eq!((facts.not_before, facts.not_after), (1_800_000_000 - GRACE, 1_800_003_600));
    }
}
