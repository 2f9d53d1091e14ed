//! Tokens as they come: JSON that somebody has signed (RFC 7515, RFC 7519).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::auth::{error::TokenFault, key_set::KeySet};

/// Longer ones are no tokens: reading takes time that grows with them.
pub const LONGEST: usize = 16 << 10;
/// How far apart two clocks may be, in seconds.
pub const LEEWAY: f64 = 60.0;

/// What a token says.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims(Map<String, Value>);

/// Whether it has the shape of a token. Says nothing about its worth.
pub fn is_shaped(text: &str) -> bool {
    let mut parts = text.split('.');
    let four = (parts.next(), parts.next(), parts.next(), parts.next());
    let (Some(header), Some(claims), Some(_), None) = four else { return false };
    text.len() <= LONGEST && object(header).is_some() && object(claims).is_some()
}

/// Who it says has made it, believed by nobody yet.
pub fn issuer(token: &str) -> Option<String> {
    let claims = object(token.split('.').nth(1)?)?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// What the token says, if one of the keys has signed it, by one of these algorithms; none: by any that is known.
pub fn verify(token: &str, keys: &[Arc<KeySet>], algorithms: &[&str]) -> Result<Claims, TokenFault> {
    if keys.is_empty() {
        return Err(TokenFault::NoKeys);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenFault::Algorithm)?;
    let taken = |name: &&str| name.parse::<Algorithm>().is_ok_and(|one| one == header.alg);
    if !algorithms.is_empty() && !algorithms.iter().any(taken) {
        return Err(TokenFault::Algorithm);
    }
    // What must be understood is not (RFC 7515, section 4.1.11).
    if header.crit.is_some() {
        return Err(TokenFault::Header);
    }
    let validation = signature_only(header.alg);
    let mut fitting = keys.iter().flat_map(|set| set.fitting(header.kid.as_deref(), header.alg));
    let claims = fitting.find_map(|key| jsonwebtoken::decode::<Claims>(token, key, &validation).ok());
    claims.map(|found| found.claims).ok_or(TokenFault::Signature)
}

/// Claims are judged by [`Claims`]: times by a clock that tests can set, and the issuer letter by letter.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation
}

impl Claims {
    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A claim that is a text or a list of them.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A claim as it is.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Until when it counts, in seconds of Unix time, if it counts now.
    pub fn until(&self, now: f64) -> Result<f64, TokenFault> {
        let time = |name| match self.0.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or(TokenFault::Times),
        };
        let expires = time("exp")?.ok_or(TokenFault::Times)? + LEEWAY;
        if time("nbf")?.is_some_and(|begins| begins - LEEWAY > now) {
            return Err(TokenFault::NotYet);
        }
        if now < expires { Ok(expires) } else { Err(TokenFault::Expired) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: f64 = 1_800_000_000.0;

    fn judged(exp: Value, nbf: Value) -> Result<f64, TokenFault> {
        let mut claims = Map::new();
        for (name, value) in [("exp", exp), ("nbf", nbf)] {
            if !value.is_null() {
                claims.insert(name.to_owned(), value);
            }
        }
        Claims(claims).until(NOW)
    }

    // registry J11
    #[test]
    fn clocks_may_be_a_minute_apart() {
        let at = |seconds: f64| json!(NOW + seconds);
        for (exp, nbf, expected) in [
            (at(-59.0), Value::Null, Ok(NOW + 1.0)),
            (at(-61.0), Value::Null, Err(TokenFault::Expired)),
            (at(-60.0), Value::Null, Err(TokenFault::Expired)),
            (at(10.0), at(59.0), Ok(NOW + 70.0)),
            (at(10.0), at(61.0), Err(TokenFault::NotYet)),
            (json!(1_800_000_010), json!(1_800_000_000), Ok(NOW + 70.0)),
            (Value::Null, Value::Null, Err(TokenFault::Times)),
            (json!("1800000010"), Value::Null, Err(TokenFault::Times)),
            (at(10.0), json!([]), Err(TokenFault::Times)),
            (json!(true), Value::Null, Err(TokenFault::Times)),
        ] {
            assert_eq!(judged(exp.clone(), nbf.clone()), expected, "{exp} {nbf}");
        }
    }

    /// A key, and a token that it has signed.
    fn signed() -> ([Arc<KeySet>; 1], String) {
        let pair = rcgen::KeyPair::generate().unwrap();
        let (x, y) = pair.public_key_raw()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let set = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": y }] });
        let keys = KeySet::read(set.to_string().as_bytes()).unwrap();
        let key = jsonwebtoken::EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
        let header = jsonwebtoken::Header::new(Algorithm::ES256);
        let token =
            jsonwebtoken::encode(&header, &json!({ "iss": "a", "sub": "b", "exp": 1 }), &key).unwrap();
        ([Arc::new(keys)], token)
    }

    proptest! {
        // registry AU9
        #[test]
        fn a_token_is_worth_nothing_once_anything_of_it_is_changed(
            place in any::<prop::sample::Index>(), other in "[A-Za-z0-9_.=+/-]", cut in any::<prop::sample::Index>()
        ) {
            let (keys, token) = signed();
            prop_assert!(is_shaped(&token) && verify(&token, &keys, &[]).is_ok());
            let at = place.index(token.len());
            let mut changed = token.clone();
            changed.replace_range(at..=at, &other);
            prop_assert_eq!(verify(&changed, &keys, &[]).is_ok(), changed == token);
            prop_assert!(verify(&token[..cut.index(token.len())], &keys, &[]).is_err());
            for more in [format!("{token}{other}"), format!("{other}{token}"), format!("{token}.{token}")] {
                prop_assert!(verify(&more, &keys, &[]).is_err(), "{}", more);
            }
            prop_assert!(verify(&token, &keys, &["ES384", "RS256"]).is_err());
        }

        // registry AU2 AU9: whatever comes, it is judged and not trusted
        #[test]
        fn nothing_that_nobody_signed_is_a_token(header in ".{0,40}", claims in ".{0,40}", rest in ".{0,40}") {
            let keys = KeySet::parse(
                br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
            )
            .unwrap();
            let keys = [Arc::new(keys)];
            for text in [
                format!("{header}.{claims}.{rest}"),
                format!("{}.{}.{rest}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&claims)),
                format!(r"{}.{}.{rest}", URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#), URL_SAFE_NO_PAD.encode("{}")),
            ] {
                let _ = (is_shaped(&text), issuer(&text));
                prop_assert!(verify(&text, &keys, &[]).is_err());
            }
        }
    }
}
