//! Public keys of issuers: JWK sets (RFC 7517) and certificates, checked as far as the registry would refuse them.

use registry_config::public_keys::{KeySetProblem, MOST_KEYS, read};
use x509_parser::{
    oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_SIG_ED25519},
    prelude::FromDer,
    x509::SubjectPublicKeyInfo,
};

use crate::private_registry::certificates::inspect::{self, Facts};

/// Bytes of a set: all of them share one object with the live settings, which has a mebibyte.
const LONGEST: usize = 32 * 1024;
/// What the registry verifies tokens with.
const KNOWN: &str = "of RSA with 2048 bits or more, P-256, P-384 or Ed25519";
/// Bits of an RSA key.
const FEWEST_BITS: usize = 2048;

/// What is wrong with a set of public keys. A secret is nobody's but the issuer's, and a ConfigMap is no place for it.
pub fn check(text: &str) -> Result<(), String> {
    if text.len() > LONGEST {
        return Err(format!("is longer than {} KiB", LONGEST / 1024));
    }
    read(text.as_bytes()).map(drop).map_err(said)
}

fn said(problem: KeySetProblem) -> String {
    match problem {
        KeySetProblem::NoJson => "is no JSON".into(),
        KeySetProblem::NoList => "is no JWK set: it has no list of keys".into(),
        KeySetProblem::TooMany => format!("has more than {MOST_KEYS} keys"),
        KeySetProblem::Private(_) => {
            "has a private key, by which whoever reads it can sign tokens: have the issuer replace it".into()
        }
        KeySetProblem::NoObject(number) => {
            format!("has no key that can verify a token: key {number} is no JSON object")
        }
        KeySetProblem::NoKeys(why) => format!("has no key that can verify a token, {KNOWN}: {why}"),
    }
}

/// The certificates of a file, and nothing else of it: a private key beside them is nobody's business.
pub fn of_certificates(text: &str) -> Result<String, String> {
    let all = inspect::chain(text).ok_or("has no readable certificate")?;
    if !all.iter().any(|(_, facts)| certifies(facts)) {
        return Err(format!("has no certificate whose key can verify a token: {KNOWN}"));
    }
    Ok(all.into_iter().map(|(block, _)| block).collect())
}

fn certifies(facts: &Facts) -> bool {
    if let Some(bits) = facts.rsa_bits {
        return bits >= FEWEST_BITS;
    }
    let Ok((_, key)) = SubjectPublicKeyInfo::from_der(&facts.public_key) else { return false };
    let curve = key.algorithm.parameters.as_ref().and_then(|named| named.as_oid().ok());
    key.algorithm.algorithm == OID_SIG_ED25519
        || curve.is_some_and(|curve| [OID_EC_P256, OID_NIST_EC_P384].contains(&curve))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn certificate(algorithm: &'static rcgen::SignatureAlgorithm) -> (String, String) {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let certificate = rcgen::CertificateParams::new(["auth".to_owned()]).unwrap().self_signed(&key);
        (certificate.unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn certificates_verify_by_keys_that_the_registry_knows() {
        for algorithm in
            [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519]
        {
            let (certificate, key) = certificate(algorithm);
            let found = of_certificates(&format!("{key}{certificate}")).unwrap();
            assert!(found.contains("CERTIFICATE") && !found.contains("PRIVATE"), "{found}");
        }
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert_eq!(of_certificates(text).unwrap_err(), "has no readable certificate", "{text}");
        }
        let facts = |bits| Facts { rsa_bits: Some(bits), ..Facts::default() };
        assert!(certifies(&facts(2048)) && !certifies(&facts(1024)) && !certifies(&Facts::default()));
    }

    #[test]
    fn a_set_has_a_key_that_verifies_and_none_that_signs() {
        let part = "w".repeat(43);
        let ec = json!({"kty": "EC", "crv": "P-256", "x": part, "y": part});
        let with = |member: &str, value: &str| {
            let mut key = ec.clone();
            key[member] = value.into();
            json!({"keys": [key]})
        };
        let rsa = |length: usize| json!({"keys": [{"kty": "RSA", "n": "w".repeat(length), "e": "AQAB"}]});
        let ed = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": part}]});
        for good in
            [json!({"keys": [ec]}), json!({"keys": [{"kty": "new"}, ec]}), with("use", "sig"), rsa(342), ed]
        {
            assert_eq!(check(&good.to_string()), Ok(()), "{good}");
        }
        for (bad, said) in [
            (json!({"keys": []}), "no key that can verify"),
            (json!({"keys": [1, ec]}), "no key that can verify"),
            (with("use", "enc"), "no key that can verify"),
            (with("crv", "P-521"), "no key that can verify"),
            (with("x", "AQAB"), "no key that can verify"),
            (rsa(171), "no key that can verify"),
            (with("x", &"a".repeat(43)), "no key that can verify"),
            (with("alg", "RS256"), "no key that can verify"),
            (with("d", "secret"), "private key"),
            (with("qi", "secret"), "private key"),
            (json!({"keys": [{"kty": "oct", "k": "secret"}]}), "private key"),
            (json!({"keys": vec![ec.clone(); 101]}), "more than 100 keys"),
            (json!({"keys": "none"}), "no list of keys"),
            (json!({"keys": ["a".repeat(40_000)]}), "longer than 32 KiB"),
        ] {
            let wrong = check(&bad.to_string()).unwrap_err();
            assert!(wrong.contains(said) && !wrong.contains("secret"), "{wrong}");
        }
    }
}
