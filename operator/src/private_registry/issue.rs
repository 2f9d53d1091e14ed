//! Certificates: a CA of ten years, a leaf of ninety days renewed at two thirds. `now` is an argument.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::OffsetDateTime;
use x509_parser::{extensions::GeneralName, pem::parse_x509_pem};

use crate::private_registry::error::ResolveError;

const DAY: Duration = Duration::from_secs(24 * 3600);
const CA_DAYS: u32 = 3650;
const LEAF_DAYS: u32 = 90;

/// A certificate and its private key, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The key, PKCS #8.
    pub key: String,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Names and addresses, sorted.
    pub names: Vec<String>,
    /// Start, in seconds since 1970.
    pub not_before: i64,
    /// End, in seconds since 1970.
    pub not_after: i64,
}

impl Facts {
    /// When it is renewed: at two thirds of its life, to the second.
    pub fn renewal(&self) -> i64 {
        self.not_before + (self.not_after - self.not_before) * 2 / 3
    }
}

/// A new CA for `registry`.
pub fn authority(registry: &str, now: SystemTime) -> Result<Pair, ResolveError> {
    let mut params = params(vec![], now, CA_DAYS)?;
    params.distinguished_name.push(DnType::CommonName, format!("{registry} registry CA"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(failed("make the CA's key"))?;
    let certificate = params.self_signed(&key).map_err(failed("sign the CA"))?;
    Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// A new leaf for `names` (DNS names and IP addresses), signed by `authority`.
pub fn leaf(authority: &Pair, names: &[String], now: SystemTime) -> Result<Pair, ResolveError> {
    let mut params = params(names.to_vec(), now, LEAF_DAYS)?;
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

/// Reads `pem`; `None` when it is no certificate.
pub fn facts(pem: &str) -> Option<Facts> {
    let (_, pem) = parse_x509_pem(pem.as_bytes()).ok()?;
    let certificate = pem.parse_x509().ok()?;
    let mut names = Vec::new();
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        names.extend(alternative.value.general_names.iter().filter_map(name));
    }
    names.sort();
    let validity = certificate.validity();
    Some(Facts {
        names,
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(four) => Some(std::net::Ipv4Addr::from(four).to_string()),
            Err(_) => Some(std::net::Ipv6Addr::from(<[u8; 16]>::try_from(*bytes).ok()?).to_string()),
        },
        _ => None,
    }
}

fn params(names: Vec<String>, now: SystemTime, days: u32) -> Result<CertificateParams, ResolveError> {
    let mut params = CertificateParams::new(names).map_err(failed("use the registry's names"))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    // An hour of grace for nodes whose clocks are behind.
    params.not_before = OffsetDateTime::from(now - Duration::from_secs(3600));
    params.not_after = OffsetDateTime::from(now + DAY * days);
    Ok(params)
}

fn failed(what: &'static str) -> impl Fn(rcgen::Error) -> ResolveError {
    move |source| ResolveError::Certificate { what, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        vec!["team-registry.tools.svc".to_owned(), "10.96.12.34".to_owned()]
    }

    // operator 41
    #[test]
    fn a_leaf_names_exactly_what_was_asked_for() {
        let now = SystemTime::now();
        let authority = authority("team", now).unwrap();
        let leaf = leaf(&authority, &names(), now).unwrap();
        let mut wanted = names();
        wanted.sort();
        assert_eq!(facts(&leaf.certificate).unwrap().names, wanted);
    }

    // operator 36
    #[test]
    fn a_leaf_is_renewed_at_two_thirds_of_its_life() {
        let facts = Facts { names: vec![], not_before: 1000, not_after: 1000 + 90 * 86_400 };
        assert_eq!(facts.renewal(), 1000 + 60 * 86_400);
    }

    #[test]
    fn what_is_no_certificate_has_no_facts() {
        assert_eq!(facts("garbage"), None);
    }
}
