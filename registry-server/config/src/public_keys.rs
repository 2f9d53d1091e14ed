//! Which public keys the server verifies tokens with: those of a JWK set (RFC 7517). The operator asks the same question of sets
//! that users give it, so what it hands on is what a server takes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::schema::SigningAlgorithm::{self, EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};

/// A set of more keys would be a burden to every token that names none.
pub const MOST_KEYS: usize = 100;
/// Members that only private keys and secrets have (RFC 7518, section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const RSA: [SigningAlgorithm; 6] = [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512];
const OTHERS: [SigningAlgorithm; 3] = [Es256, Es384, EdDsa];
/// Algorithms of secrets, which are no keys of anybody else's.
const OF_SECRETS: [&str; 3] = ["HS256", "HS384", "HS512"];
/// Bits of an RSA key below which it proves nothing.
const SHORTEST_RSA: usize = 2048;

/// A key that signatures are verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// What tokens call it.
    pub id: Option<String>,
    /// What it verifies, and nothing else: a key is not taken for one of another kind.
    pub algorithms: Vec<SigningAlgorithm>,
    /// The key itself.
    pub material: Material,
}

/// What a key consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// Of RSA, big-endian, the modulus without zeros before it.
    Rsa {
        /// `n`
        modulus: Vec<u8>,
        /// `e`
        exponent: Vec<u8>,
    },
    /// A point of a curve, uncompressed (SEC 1, section 2.3.3).
    Ec(Vec<u8>),
    /// A point of Ed25519.
    Ed(Vec<u8>),
}

/// What is wrong with a set of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetProblem {
    /// It is no JSON.
    NoJson,
    /// It has no list of keys.
    NoList,
    /// This key, counted from 1, is no object.
    NoObject(usize),
    /// It has more than [`MOST_KEYS`].
    TooMany,
    /// This key, counted from 1, is what its owner must keep.
    Private(usize),
    /// Nothing of it can be used, and why. No word of the set itself is in it.
    NoKeys(String),
}

/// The keys of a set. Those of other kinds and for other uses are left out, as the RFC says.
pub fn read(text: &[u8]) -> Result<Vec<PublicKey>, KeySetProblem> {
    let set: Value = serde_json::from_slice(text).map_err(|_| KeySetProblem::NoJson)?;
    let keys = set["keys"].as_array().ok_or(KeySetProblem::NoList)?;
    if keys.len() > MOST_KEYS {
        return Err(KeySetProblem::TooMany);
    }
    let (mut usable, mut others) = (Vec::new(), Vec::new());
    for (number, key) in (1..).zip(keys) {
        let key = key.as_object().ok_or(KeySetProblem::NoObject(number))?;
        if is_private(key) {
            return Err(KeySetProblem::Private(number));
        }
        match one(key) {
            Ok(key) => usable.push(key),
            Err(why) => others.push(format!("key {number} {why}")),
        }
    }
    if usable.is_empty() {
        let why = if others.is_empty() { "it is empty".to_owned() } else { others.join(", ") };
        return Err(KeySetProblem::NoKeys(why));
    }
    Ok(usable)
}

fn is_private(key: &Map<String, Value>) -> bool {
    key.get("kty").is_some_and(|kind| kind == "oct") || PRIVATE.iter().any(|one| key.contains_key(*one))
}

fn one(key: &Map<String, Value>) -> Result<PublicKey, &'static str> {
    let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
    if !matches!(text("use"), "" | "sig") {
        return Err("is not for signatures");
    }
    let (possible, material): (&[SigningAlgorithm], Material) = match (text("kty"), text("crv")) {
        ("RSA", _) => (&RSA, rsa(&decoded(text("n"))?, &decoded(text("e"))?)?),
        ("EC", "P-256") => (&[Es256], point(text("x"), text("y"), 32)?),
        ("EC", "P-384") => (&[Es384], point(text("x"), text("y"), 48)?),
        ("OKP", "Ed25519") => (&[EdDsa], Material::Ed(bytes(text("x"), 32)?)),
        _ => return Err("is of a kind that is not known here"),
    };
    let algorithms = said(text("alg"), possible)?;
    let id = key.get("kid").and_then(Value::as_str).map(str::to_owned);
    Ok(PublicKey { id, algorithms, material })
}

/// Those of the `possible` algorithms that a key is for, by what it says itself.
fn said(name: &str, possible: &[SigningAlgorithm]) -> Result<Vec<SigningAlgorithm>, &'static str> {
    if name.is_empty() {
        return Ok(possible.to_vec());
    }
    match possible.iter().find(|one| one.name() == name) {
        Some(one) => Ok(vec![*one]),
        None if RSA.iter().chain(&OTHERS).any(|one| one.name() == name) || OF_SECRETS.contains(&name) => {
            Err("is for an algorithm of another kind of key")
        }
        None => Err("is for an algorithm that is not known here"),
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| "is malformed")
}

fn bytes(text: &str, length: usize) -> Result<Vec<u8>, &'static str> {
    decoded(text).and_then(|bytes| if bytes.len() == length { Ok(bytes) } else { Err("is malformed") })
}

/// An RSA key, if it is long enough.
pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Material, &'static str> {
    let modulus = &modulus[modulus.iter().take_while(|byte| **byte == 0).count()..];
    let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
    if bits < SHORTEST_RSA {
        return Err("is an RSA key of less than 2048 bits");
    }
    if exponent.is_empty() {
        return Err("is malformed");
    }
    Ok(Material::Rsa { modulus: modulus.to_vec(), exponent: exponent.to_vec() })
}

fn point(x: &str, y: &str, length: usize) -> Result<Material, &'static str> {
    Ok(Material::Ec([&[4][..], &bytes(x, length)?, &bytes(y, length)?].concat()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(length: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![0xff; length])
    }

    fn keys(keys: &Value) -> Result<Vec<PublicKey>, KeySetProblem> {
        read(json!({ "keys": keys }).to_string().as_bytes())
    }

    // registry AU9
    #[test]
    fn a_key_says_what_it_is_and_what_for() {
        let padded = URL_SAFE_NO_PAD.encode([&[0][..], &[0xff; 256]].concat());
        let found = keys(&json!([
            { "kty": "RSA", "kid": "r", "n": padded, "e": "AQAB", "alg": "PS512" },
            { "kty": "new" },
            { "kty": "EC", "crv": "P-384", "x": text(48), "y": text(48) },
            { "kty": "OKP", "crv": "Ed25519", "x": text(32) },
        ]));
        let found = found.unwrap();
        let ids: Vec<_> = found.iter().map(|key| key.id.as_deref()).collect();
        assert_eq!(ids, [Some("r"), None, None]);
        let algorithms: Vec<_> = found.iter().map(|key| key.algorithms.as_slice()).collect();
        assert_eq!(algorithms, [&[Ps512][..], &[Es384], &[EdDsa]]);
        let point = [&[4][..], &[0xff; 96]].concat();
        assert_eq!(found[1].material, Material::Ec(point));
        assert_eq!(found[2].material, Material::Ed(vec![0xff; 32]));
        let Material::Rsa { modulus, exponent } = &found[0].material else { panic!("{found:?}") };
        assert_eq!((modulus.len(), exponent.as_slice()), (256, &[1, 0, 1][..]), "zeros count for nothing");
    }

    // registry AU10
    #[test]
    fn what_verifies_nothing_is_no_key() {
        let rsa = |member: &str, value: &str| {
            let mut key = json!({ "kty": "RSA", "n": text(256), "e": "AQAB" });
            key[member] = value.into();
            json!([key])
        };
        for (set, why) in [
            (rsa("alg", "HS256"), "another kind of key"),
            (rsa("alg", "ES256"), "another kind of key"),
            (rsa("alg", "new"), "not known here"),
            (rsa("use", "enc"), "not for signatures"),
            (rsa("n", "!canary"), "malformed"),
            (rsa("e", ""), "malformed"),
            (rsa("n", &text(255)), "less than 2048 bits"),
            (rsa("n", &format!("AAAA{}", text(255))), "less than 2048 bits"),
            // Characters enough, and bits after the last byte.
            (json!([{ "kty": "EC", "crv": "P-256", "x": "a".repeat(43), "y": "a".repeat(43) }]), "malformed"),
        ] {
            let Err(KeySetProblem::NoKeys(said)) = keys(&set) else { panic!("{set}") };
            assert!(said.contains(why) && !said.contains("canary"), "{said}");
        }
        for (text, problem) in [
            ("{", KeySetProblem::NoJson),
            ("[]", KeySetProblem::NoList),
            (r#"{"keys": {}}"#, KeySetProblem::NoList),
            (r#"{"keys": [1]}"#, KeySetProblem::NoObject(1)),
            (r#"{"keys": [{"kty": "new"}, {"kty": "oct"}]}"#, KeySetProblem::Private(2)),
        ] {
            assert_eq!(read(text.as_bytes()), Err(problem), "{text}");
        }
    }
}
