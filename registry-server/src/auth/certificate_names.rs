//! Names in a client's certificate (RFC 5280, section 4.2.1.6).

use x509_parser::{
    extensions::GeneralName,
    prelude::{FromDer, X509Certificate},
};

/// As long as an account's name.
const LONGEST: usize = 255;

/// A kind of name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A URI, such as a SPIFFE id.
    Uri,
    /// A host name.
    Dns,
    /// A mail address.
    Email,
}

/// What a certificate says whose issuer is trusted and whose key the client has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateNames {
    names: Vec<(NameKind, String)>,
    /// When it expires, in seconds of Unix time.
    pub until: i64,
}

impl CertificateNames {
    /// The names in the certificate, in DER. Nothing, if it cannot be read.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let extension = certificate.subject_alternative_name().ok()?;
        let general = extension.map_or(&[][..], |extension| &extension.value.general_names);
        let names = general.iter().filter_map(|name| match name {
            GeneralName::URI(text) => Some((NameKind::Uri, (*text).to_owned())),
            GeneralName::DNSName(text) => Some((NameKind::Dns, text.to_ascii_lowercase())),
            GeneralName::RFC822Name(text) => Some((NameKind::Email, (*text).to_owned())),
            _ => None,
        });
        Some(Self { names: names.collect(), until: certificate.validity().not_after.timestamp() })
    }

    /// The one name of this kind. Who has two, or one that could not be told from something else in a log, has none.
    pub fn only(&self, kind: NameKind) -> Option<&str> {
        let mut found = self.names.iter().filter(|(one, _)| *one == kind).map(|(_, name)| name.as_str());
        let name = found.next().filter(|_| found.next().is_none())?;
        let plain = name.bytes().all(|byte| byte.is_ascii_graphic());
        (plain && (1..=LONGEST).contains(&name.len())).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType, date_time_ymd};

    use super::*;

    fn names(all: Vec<SanType>) -> CertificateNames {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        (params.subject_alt_names, params.not_after) = (all, date_time_ymd(2031, 1, 1));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        CertificateNames::read(certificate.der()).unwrap()
    }

    // registry TL4 AU10
    #[test]
    fn a_certificate_names_somebody_by_its_one_name_of_a_kind() {
        let uri = |text: &str| SanType::URI(text.try_into().unwrap());
        let dns = |text: &str| SanType::DnsName(text.try_into().unwrap());
        let email = |text: &str| SanType::Rfc822Name(text.try_into().unwrap());
        let all =
            names(vec![uri("spiffe://prod/ns/a/sa/b"), dns("Build.example.com"), email("ann@example.com")]);
        assert_eq!(all.only(NameKind::Uri), Some("spiffe://prod/ns/a/sa/b"));
        assert_eq!(all.only(NameKind::Dns), Some("build.example.com"));
        assert_eq!(all.only(NameKind::Email), Some("ann@example.com"));
        assert_eq!(all.until, date_time_ymd(2031, 1, 1).unix_timestamp());
        let long = format!("spiffe://{}", "a".repeat(LONGEST));
        for nobody in [
            vec![],
            vec![dns("a"), dns("b")],
            vec![uri(&long)],
            vec![uri("spiffe://a b")],
            vec![uri("spiffe://a\nuser=root")],
            vec![uri("")],
        ] {
            let names = names(nobody);
            for kind in [NameKind::Uri, NameKind::Dns, NameKind::Email] {
                assert_eq!(names.only(kind), None, "{names:?}");
            }
        }
        assert_eq!(CertificateNames::read(b"garbage"), None);
    }
}
