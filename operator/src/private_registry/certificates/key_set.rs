//! Public keys of issuers: JWK sets (RFC 7517) and certificates, checked as far as the registry would refuse them.

use serde_json::Value;
use x509_parser::{
    oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_SIG_ED25519},
    prelude::FromDer,
    x509::SubjectPublicKeyInfo,
};

use crate::private_registry::certificates::inspect::{self, Facts};

/// Bytes of a set: all of them share one object with the live settings, which has a mebibyte.
const LONGEST: usize = 32 * 1024;
/// The registry takes no more keys.
const MOST: usize = 100;
/// Members that only private keys and secrets have (RFC 7518, section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// What the registry verifies tokens with.
const KNOWN: &str = "of RSA with 2048 bits or more, P-256, P-384 or Ed25519";
/// Bits of an RSA key.
const FEWEST_BITS: usize = 2048;
/// Characters of the modulus of an RSA key of 2048 bits.
const SHORTEST_RSA: usize = 342;

/// What is wrong with a set of public keys. A secret is nobody's but the issuer's, and a ConfigMap is no place for it.
pub fn check(text: &str) -> Result<(), String> {
    if text.len() > LONGEST {
        return Err(format!("is longer than {} KiB", LONGEST / 1024));
    }
    let set: Value = serde_json::from_str(text).map_err(|_| "is no JSON")?;
    let keys = set["keys"].as_array().ok_or("is no JWK set: it has no list of keys")?;
    if keys.len() > MOST {
        return Err(format!("has more than {MOST} keys"));
    }
    if keys.iter().any(private) {
        return Err(
            "has a private key, by which whoever reads it can sign tokens: have the issuer replace it".into(),
        );
    }
    match keys.iter().all(Value::is_object) && keys.iter().any(verifies) {
        true => Ok(()),
        false => Err(format!("has no key that can verify a token: {KNOWN}")),
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

fn private(key: &Value) -> bool {
    key["kty"] == "oct" || PRIVATE.iter().any(|member| key.get(member).is_some())
}

fn verifies(key: &Value) -> bool {
    let length = |member: &str| key[member].as_str().map_or(0, str::len);
    let fits = match (key["kty"].as_str(), key["crv"].as_str()) {
        (Some("RSA"), _) => length("n") >= SHORTEST_RSA && length("e") > 0,
        (Some("EC"), Some("P-256")) => length("x") == 43 && length("y") == 43,
        (Some("EC"), Some("P-384")) => length("x") == 64 && length("y") == 64,
        (Some("OKP"), Some("Ed25519")) => length("x") == 43,
        _ => false,
    };
    fits && (key["use"].is_null() || key["use"] == "sig")
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
        let part = "a".repeat(43);
        let ec = json!({"kty": "EC", "crv": "P-256", "x": part, "y": part});
        let with = |member: &str, value: &str| {
            let mut key = ec.clone();
            key[member] = value.into();
            json!({"keys": [key]})
        };
        let rsa = |length: usize| json!({"keys": [{"kty": "RSA", "n": "a".repeat(length), "e": "AQAB"}]});
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
