//! What clients hold against a certificate, told before they do.

use std::fmt;

use x509_parser::{
    error::X509Error,
    extensions::GeneralName,
    prelude::{FromDer, X509Certificate, X509Version},
    public_key::PublicKey,
};

/// Shorter RSA keys are refused by today's TLS libraries.
const SHORTEST_RSA: usize = 2048;

/// Why clients refuse a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// The RSA key has this many bits.
    ShortKey(usize),
    /// Not X.509 version 3.
    OldVersion(u32),
    /// No `subjectAltName` with a host name or an address.
    NoName,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
}

impl Weakness {
    /// Whether no client can be served with it at all.
    pub const fn fatal(self) -> bool {
        matches!(self, Self::ShortKey(_) | Self::OldVersion(_))
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortKey(bits) => write!(f, "its RSA key has {bits} bits, and clients want {SHORTEST_RSA}"),
            Self::OldVersion(version) => write!(f, "it is X.509 version {version}, and clients want 3"),
            Self::NoName => f.write_str(
                "it has no subjectAltName with a host name or address, and clients do not look at the common name",
            ),
            Self::Expired => f.write_str("it has expired"),
            Self::NotYetValid => f.write_str("it is not valid yet"),
        }
    }
}

/// A certificate, looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The second at which it expires.
    pub expires: i64,
    /// What is wrong with it.
    pub weaknesses: Vec<Weakness>,
}

/// Looks at a certificate as a client would at the second `now`.
pub fn inspect(der: &[u8], now: i64) -> Result<Inspected, X509Error> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(X509Error::from)?;
    let mut weaknesses = Vec::new();
    if let PublicKey::RSA(key) = certificate.public_key().parsed()?
        && key.key_size() < SHORTEST_RSA
    {
        weaknesses.push(Weakness::ShortKey(key.key_size()));
    }
    if certificate.version() != X509Version::V3 {
        weaknesses.push(Weakness::OldVersion(certificate.version().0 + 1));
    }
    if !has_name(&certificate) {
        weaknesses.push(Weakness::NoName);
    }
    let (begins, expires) =
        (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
    if expires < now {
        weaknesses.push(Weakness::Expired);
    } else if now < begins {
        weaknesses.push(Weakness::NotYetValid);
    }
    Ok(Inspected { expires, weaknesses })
}

fn has_name(certificate: &X509Certificate<'_>) -> bool {
    let names = certificate.subject_alternative_name().ok().flatten();
    names.is_some_and(|names| {
        let reachable =
            |n: &GeneralName<'_>| matches!(n, GeneralName::DNSName(_) | GeneralName::IPAddress(_));
        names.value.general_names.iter().any(reachable)
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use rustls_pki_types::{CertificateDer, pem::PemObject};

    use super::*;

    fn made(names: &[&str], from: i32, to: i32) -> Vec<u8> {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    // registry TL7, seed D12
    #[test]
    fn what_clients_refuse_is_found() {
        let now = date_time_ymd(2030, 6, 1).unix_timestamp();
        let short = include_bytes!("../../tests/certificates/rsa-1024.pem");
        let first = include_bytes!("../../tests/certificates/version-1.pem");
        let der = |pem: &[u8]| CertificateDer::from_pem_slice(pem).unwrap().to_vec();
        for (certificate, wanted) in [
            (made(&["localhost"], 2030, 2031), vec![]),
            (made(&["10.0.0.1"], 2030, 2031), vec![]),
            (made(&[], 2030, 2031), vec![Weakness::NoName]),
            (made(&["localhost"], 2028, 2029), vec![Weakness::Expired]),
            (made(&["localhost"], 2031, 2032), vec![Weakness::NotYetValid]),
            (der(short), vec![Weakness::ShortKey(1024)]),
            (der(first), vec![Weakness::OldVersion(1), Weakness::NoName]),
        ] {
            assert_eq!(inspect(&certificate, now).unwrap().weaknesses, wanted);
        }
        assert!(inspect(b"garbage", now).is_err());
        assert_eq!(
            inspect(&made(&["a"], 2030, 2031), now).unwrap().expires,
            date_time_ymd(2031, 1, 1).unix_timestamp()
        );
    }
}
