//! Public keys of an issuer: a JWK set (RFC 7517).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value, json};

use crate::auth::{certificate_keys, signer::Signer};

/// A set of more keys would be a burden to every token that names none.
const MOST_KEYS: usize = 100;
/// Members that only private keys and secrets have (RFC 7518, section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];
/// Bits of an RSA key below which it proves nothing.
const SHORTEST_RSA: usize = 2048;

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

    /// Reads a set. Keys of other kinds and for other uses are left out, as the RFC says.
    pub fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        let set: Value = serde_json::from_slice(text).map_err(|_| KeySetError::Malformed)?;
        let keys = set["keys"].as_array().ok_or(KeySetError::Malformed)?;
        if keys.len() > MOST_KEYS {
            return Err(KeySetError::TooMany);
        }
        let (mut usable, mut others) = (Vec::new(), Vec::new());
        for (number, key) in (1..).zip(keys) {
            let key = key.as_object().ok_or(KeySetError::Malformed)?;
            if key.get("kty").is_some_and(|kind| kind == "oct")
                || PRIVATE.iter().any(|one| key.contains_key(*one))
            {
                return Err(KeySetError::Private(number));
            }
            match read(key) {
                Ok(key) => usable.push(key),
                Err(why) => others.push(format!("key {number} {why}")),
            }
        }
        if usable.is_empty() {
            let why = if others.is_empty() { "it is empty".to_owned() } else { others.join(", ") };
            return Err(KeySetError::NoKeys(why));
        }
        Ok(usable.into())
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
        Ok(Self { id: None, algorithms: RSA.to_vec(), key: rsa(modulus, exponent)? })
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

fn read(key: &Map<String, Value>) -> Result<Key, &'static str> {
    let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
    if !matches!(text("use"), "" | "sig") {
        return Err("is not for signatures");
    }
    let (possible, decoding) = match (text("kty"), text("crv")) {
        ("RSA", _) => (RSA.to_vec(), rsa(&decoded(text("n"))?, &decoded(text("e"))?)?),
        ("EC", "P-256") => (vec![Algorithm::ES256], ec(text("x"), text("y"), 32)?),
        ("EC", "P-384") => (vec![Algorithm::ES384], ec(text("x"), text("y"), 48)?),
        ("OKP", "Ed25519") => (vec![Algorithm::EdDSA], DecodingKey::from_ed_der(&bytes(text("x"), 32)?)),
        _ => return Err("is of a kind that is not known here"),
    };
    let said = match text("alg") {
        "" => None,
        name => Some(name.parse::<Algorithm>().map_err(|_| "is for an algorithm that is not known here")?),
    };
    let algorithms: Vec<_> =
        possible.into_iter().filter(|one| said.is_none_or(|said| said == *one)).collect();
    if algorithms.is_empty() {
        return Err("is for an algorithm of another kind of key");
    }
    let id = key.get("kid").and_then(Value::as_str).map(str::to_owned);
    Ok(Key { id, algorithms, key: decoding })
}

fn decoded(text: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| "is malformed")
}

fn bytes(text: &str, length: usize) -> Result<Vec<u8>, &'static str> {
    decoded(text).and_then(|bytes| if bytes.len() == length { Ok(bytes) } else { Err("is malformed") })
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<DecodingKey, &'static str> {
    let significant: &[u8] = &modulus[modulus.iter().take_while(|byte| **byte == 0).count()..];
    let bits = significant.first().map_or(0, |first| significant.len() * 8 - first.leading_zeros() as usize);
    if bits < SHORTEST_RSA {
        return Err("is an RSA key of less than 2048 bits");
    }
    Ok(DecodingKey::from_rsa_raw_components(significant, exponent))
}

/// A point of a curve, uncompressed (SEC 1, section 2.3.3).
fn ec(x: &str, y: &str, length: usize) -> Result<DecodingKey, &'static str> {
    let point = [&[4][..], &bytes(x, length)?, &bytes(y, length)?].concat();
    Ok(DecodingKey::from_ec_der(&point))
}

#[cfg(test)]
mod tests {
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
