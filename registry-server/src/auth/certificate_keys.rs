//! Keys of certificates that a token server signs with.

use jsonwebtoken::Algorithm;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use x509_parser::{
    oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_SIG_ED25519},
    prelude::{FromDer as _, X509Certificate},
    public_key::PublicKey,
    x509::SubjectPublicKeyInfo,
};

use crate::auth::key_set::{Key, KeySetError};

/// The keys of all certificates in a PEM file. How long a certificate is valid says nothing here: the file is trusted.
pub(in crate::auth) fn read(text: &[u8]) -> Result<Vec<Key>, KeySetError> {
    let (mut usable, mut others) = (Vec::new(), Vec::new());
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(text)) {
        let certificate = certificate.map_err(|_| KeySetError::Malformed)?;
        match X509Certificate::from_der(&certificate)
            .map_err(|_| "cannot be read")
            .and_then(|(_, one)| key(one.public_key()))
        {
            Ok(key) => usable.push(key),
            Err(why) => others.push(format!("certificate {number} {why}")),
        }
    }
    match (usable.is_empty(), others.is_empty()) {
        (false, _) => Ok(usable),
        (true, true) => Err(KeySetError::Malformed),
        (true, false) => Err(KeySetError::NoKeys(others.join(", "))),
    }
}

fn key(public: &SubjectPublicKeyInfo<'_>) -> Result<Key, &'static str> {
    let curve = public.algorithm.parameters.as_ref().and_then(|named| named.as_oid().ok());
    match public.parsed() {
        Ok(PublicKey::RSA(rsa)) => Key::rsa(rsa.modulus, rsa.exponent),
        Ok(PublicKey::EC(point)) if curve == Some(OID_EC_P256) => {
            Ok(Key::point(Algorithm::ES256, point.data()))
        }
        Ok(PublicKey::EC(point)) if curve == Some(OID_NIST_EC_P384) => {
            Ok(Key::point(Algorithm::ES384, point.data()))
        }
        _ if public.algorithm.algorithm == OID_SIG_ED25519 => {
            Ok(Key::point(Algorithm::EdDSA, &public.subject_public_key.data))
        }
        _ => Err("has a key of a kind that is not known here"),
    }
}
