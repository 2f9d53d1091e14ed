//! Public keys of an issuer: a JWK set (RFC 7517), as `registry-config` reads it.

use jsonwebtoken::{Algorithm, DecodingKey};
use registry_config::public_keys::{self, KeySetProblem, MOST_KEYS, Material, PublicKey};
use serde_json::json;

use crate::auth::{certificate_keys, signer::Signer};

const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// Keys that signatures are verified with.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    /// The private part, of a key of our own.
    signer: Option<Signer>,
}

/// One of them.
#[derive(Debug)]
pub(in crate::auth) struct Key {
    id: Option<String>,
    /// What it verifies, and nothing else: a key is not taken for one of another kind.
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// What is wrong with a set of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// It is no such set.
    #[error("is no JWK set, which has a list `keys` of objects, and has no PEM certificates")]
    Malformed,
    /// It is too long.
    #[error("has more than {MOST_KEYS} keys")]
    TooMany,
    /// It has what its owner must keep.
    #[error(
        "key {0} is a private key or a secret: publish the public part, and replace this key, which is known now"
    )]
    Private(usize),
    /// It is no private key that we could sign with.
    #[error(
        "has no private key of the curve P-256 in PKCS #8: make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`"
    )]
    NoSigner,
    /// Nothing of it can be used.
    #[error("has no key that could verify a token: {0}")]
    NoKeys(String),
}

impl From<KeySetProblem> for KeySetError {
    fn from(problem: KeySetProblem) -> Self {
        match problem {
            KeySetProblem::NoJson | KeySetProblem::NoList | KeySetProblem::NoObject(_) => Self::Malformed,
            KeySetProblem::TooMany => Self::TooMany,
            KeySetProblem::Private(number) => Self::Private(number),
            KeySetProblem::NoKeys(why) => Self::NoKeys(why),
        }
    }
}

impl From<Vec<Key>> for KeySet {
    fn from(keys: Vec<Key>) -> Self {
        Self { keys, signer: None }
    }
}

impl KeySet {
    /// Reads a file: PEM certificates, or a set.
    pub fn read(text: &[u8]) -> Result<Self, KeySetError> {
        if text.trim_ascii_start().starts_with(b"{") {
            Self::parse(text)
        } else {
            certificate_keys::read(text).map(Self::from)
        }
    }

    /// Reads a private key of our own, and keeps it.
    pub fn own(pem: &[u8]) -> Result<Self, KeySetError> {
        let signer = Signer::read(pem).ok_or(KeySetError::NoSigner)?;
        let set = Self::parse(json!({ "keys": [signer.public()] }).to_string().as_bytes())?;
        Ok(Self { signer: Some(signer), ..set })
    }

    /// What signs tokens of our own.
    pub fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// Reads a set.
    pub fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        let keys: Vec<_> = public_keys::read(text)?.into_iter().map(Key::from).collect();
        Ok(keys.into())
    }

    /// Keys that may have signed a token with such a header.
    pub fn fitting<'a>(
        &'a self,
        id: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a DecodingKey> {
        let named = move |key: &&Key| match (id, &key.id) {
            (Some(wanted), Some(id)) => wanted == id,
            _ => true,
        };
        let fits = self.keys.iter().filter(named).filter(move |key| key.algorithms.contains(&algorithm));
        fits.map(|key| &key.key)
    }
}

impl Key {
    /// An RSA key.
    pub(in crate::auth) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, &'static str> {
        let material = public_keys::rsa(modulus, exponent)?;
        Ok(Self { id: None, algorithms: RSA.to_vec(), key: decoding(&material) })
    }

    /// A point of the curve of this algorithm, or of Ed25519.
    pub(in crate::auth) fn point(algorithm: Algorithm, point: &[u8]) -> Self {
        let key = match algorithm {
            Algorithm::EdDSA => DecodingKey::from_ed_der(point),
            _ => DecodingKey::from_ec_der(point),
        };
        Self { id: None, algorithms: vec![algorithm], key }
    }
}

impl From<PublicKey> for Key {
    fn from(key: PublicKey) -> Self {
        let algorithms = key.algorithms.iter().filter_map(|one| one.name().parse().ok()).collect();
        Self { id: key.id, algorithms, key: decoding(&key.material) }
    }
}

fn decoding(material: &Material) -> DecodingKey {
    match material {
        Material::Rsa { modulus, exponent } => DecodingKey::from_rsa_raw_components(modulus, exponent),
        Material::Ec(point) => DecodingKey::from_ec_der(point),
        Material::Ed(point) => DecodingKey::from_ed_der(point),
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::Value;

    use super::*;

    fn text(length: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![0xff; length])
    }

    fn parse(keys: &Value) -> Result<KeySet, KeySetError> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    // registry AU9: a key verifies what it is for, and nothing else
    #[test]
    fn a_key_is_taken_for_its_own_algorithms_only() {
        let keys = json!([
            { "kty": "RSA", "kid": "r", "n": text(256), "e": "AQAB" },
            { "kty": "RSA", "kid": "s", "n": text(256), "e": "AQAB", "alg": "PS512", "use": "sig" },
            { "kty": "EC", "kid": "p", "crv": "P-256", "x": text(32), "y": text(32) },
            { "kty": "EC", "kid": "q", "crv": "P-384", "x": text(48), "y": text(48) },
            { "kty": "OKP", "kid": "o", "crv": "Ed25519", "x": text(32) },
            { "kty": "OKP", "crv": "Ed25519", "x": text(32) },
            { "kty": "EC", "crv": "P-521", "x": text(66), "y": text(66) },
            { "kty": "new" },
            { "kty": "RSA", "kid": "enc", "n": text(256), "e": "AQAB", "use": "enc" },
        ]);
        let set = parse(&keys).unwrap();
        for (id, algorithm, count) in [
            (Some("r"), Algorithm::RS256, 1),
            (Some("r"), Algorithm::PS512, 1),
            (None, Algorithm::RS256, 1),
            (None, Algorithm::PS512, 2),
            (Some("s"), Algorithm::RS256, 0),
            (Some("s"), Algorithm::PS512, 1),
            (Some("p"), Algorithm::ES256, 1),
            (Some("p"), Algorithm::ES384, 0),
            (Some("q"), Algorithm::ES384, 1),
            (Some("q"), Algorithm::RS256, 0),
            (Some("enc"), Algorithm::RS256, 0),
            // One without a name may be meant.
            (Some("o"), Algorithm::EdDSA, 2),
            (Some("x"), Algorithm::EdDSA, 1),
            (None, Algorithm::HS256, 0),
            (Some("r"), Algorithm::HS256, 0),
            (Some("p"), Algorithm::HS256, 0),
        ] {
            assert_eq!(set.fitting(id, algorithm).count(), count, "{id:?} {algorithm:?}");
        }
    }

    // registry AU10
    #[test]
    fn what_is_no_set_of_public_keys_says_why_and_no_secret() {
        let rsa = |more: Value| {
            let mut key = json!({ "kty": "RSA", "n": text(256), "e": "AQAB" });
            key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            key
        };
        for (keys, why) in [
            (json!([]), "it is empty"),
            (json!({}), "no JWK set"),
            (json!([1]), "no JWK set"),
            (json!([rsa(json!({})), { "kty": "oct", "k": "canary" }]), "key 2 is a private key or a secret"),
            (json!([{ "kty": "oct" }]), "key 1 is a private key or a secret"),
            (json!([rsa(json!({ "d": "canary" }))]), "key 1 is a private key or a secret"),
            (json!([rsa(json!({ "p": "canary" }))]), "key 1 is a private key or a secret"),
            (
                json!([{ "kty": "EC", "crv": "P-256", "x": text(32), "y": text(32), "d": "canary" }]),
                "key 1 is a private",
            ),
            (json!([rsa(json!({ "n": text(128) }))]), "less than 2048 bits"),
            (json!([rsa(json!({ "n": "" }))]), "less than 2048 bits"),
            (json!([rsa(json!({ "n": format!("AAAA{}", text(255)) }))]), "less than 2048 bits"),
            (json!([rsa(json!({ "n": "!canary" }))]), "key 1 is malformed"),
            (json!([rsa(json!({ "alg": "HS256" }))]), "another kind of key"),
            (json!([rsa(json!({ "alg": "ES256" }))]), "another kind of key"),
            (json!([rsa(json!({ "alg": "new" }))]), "not known here"),
            (
                json!([rsa(json!({ "use": "enc" })), { "kty": "x" }]),
                "key 1 is not for signatures, key 2 is of a kind",
            ),
            (json!([{ "kty": "EC", "crv": "P-256", "x": text(31), "y": text(32) }]), "key 1 is malformed"),
            (json!(vec![rsa(json!({})); 101]), "more than 100 keys"),
        ] {
            let refused = parse(&keys).unwrap_err().to_string();
            assert!(refused.contains(why) && !refused.contains("canary"), "{refused}");
        }
        for text in ["", "{", "[]", "null", "\u{feff}{}"] {
            assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err(), KeySetError::Malformed);
        }
    }
}
