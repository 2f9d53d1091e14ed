//! What a certificate says.

use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, pem::Pem, public_key::PublicKey, x509::X509Version,
};

/// A certificate and its private key, PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, then those that lead to its root.
    pub certificate: String,
    /// The key.
    pub key: String,
}

/// What a certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Names and addresses, sorted.
    pub names: Vec<String>,
    /// Start, in seconds since 1970.
    pub not_before: i64,
    /// End, in seconds since 1970.
    pub not_after: i64,
    /// Bits of an RSA key.
    pub rsa_bits: Option<usize>,
    /// X.509 v3.
    pub version_3: bool,
    /// Who it is for, DER.
    pub subject: Vec<u8>,
    /// Who signed it, DER.
    pub issuer: Vec<u8>,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
}

impl Facts {
    /// When it is renewed: at two thirds of its life, to the second.
    pub fn renewal(&self) -> i64 {
        self.not_before + (self.not_after - self.not_before) * 2 / 3
    }

    /// Whether a client that calls the registry `host` accepts the name. Case does not count (RFC 6125, 6.4.1).
    pub fn covers(&self, host: &str) -> bool {
        let wildcard = host.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        let covered = |name: &String| {
            name.eq_ignore_ascii_case(host)
                || wildcard.as_ref().is_some_and(|wildcard| name.eq_ignore_ascii_case(wildcard))
        };
        self.names.iter().any(covered)
    }
}

/// Reads every certificate of `text` with its PEM block; `None` when one is broken or there is none.
pub fn chain(text: &str) -> Option<Vec<(String, Facts)>> {
    let mut all = Vec::new();
    for block in Pem::iter_from_buffer(text.as_bytes()) {
        let block = block.ok()?;
        if block.label != "CERTIFICATE" {
            continue;
        }
        all.push((pem(&block.contents), facts(&block.parse_x509().ok()?)));
    }
    (!all.is_empty()).then_some(all)
}

/// Facts of the first certificate of `text`.
pub fn first(text: &str) -> Option<Facts> {
    chain(text)?.into_iter().next().map(|(_, facts)| facts)
}

/// DER as a PEM block.
fn pem(der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let encoded = STANDARD.encode(der);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn facts(certificate: &X509Certificate<'_>) -> Facts {
    let mut names = Vec::new();
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        names.extend(alternative.value.general_names.iter().filter_map(name));
    }
    names.sort();
    let rsa_bits = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => Some(key.key_size()),
        _ => None,
    };
    Facts {
        names,
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        rsa_bits,
        version_3: certificate.version() == X509Version::V3,
        subject: certificate.subject().as_raw().to_vec(),
        issuer: certificate.issuer().as_raw().to_vec(),
        public_key: certificate.public_key().raw.to_vec(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    // operator 36
    #[test]
    fn a_certificate_is_renewed_at_two_thirds_of_its_life() {
        let facts = Facts { not_before: 1000, not_after: 1000 + 90 * 86_400, ..Facts::default() };
        assert_eq!(facts.renewal(), 1000 + 60 * 86_400);
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        let facts = Facts { names: vec!["*.example.com".into(), "other.org".into()], ..Facts::default() };
        for (host, covered) in [
            ("registry.example.com", true),
            ("a.b.example.com", false),
            ("example.com", false),
            ("other.org", true),
            ("team", false),
            ("OTHER.org", true),
            ("Registry.Example.com", true),
        ] {
            assert_eq!(facts.covers(host), covered, "{host}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_facts() {
        assert_eq!(first("garbage"), None);
        assert_eq!(first("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), None);
    }
}
