//! Tokens: one that our key has not signed is never taken, and claims of one that it has are read without harm.

use std::sync::{Arc, LazyLock};

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use registry_server::auth::{
    grants::Grants,
    issuer::{Issuer, Naming},
    jwt::{self, Claims},
    key_set::KeySet,
};
use serde_json::Value;

const OURS: &str = "https://issuer.example.com";
static KEYS: LazyLock<[Arc<KeySet>; 1]> = LazyLock::new(|| {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    [Arc::new(KeySet::own(pair.serialize_pem().as_bytes()).expect("a key of ours"))]
});

/// Takes the bytes for a token, and for the claims of one that is signed.
pub fn check(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        jwt::issuer(text);
        assert!(jwt::verify(text, &*KEYS, &[]).is_err(), "nobody has signed {text}");
        assert!(!jwt::is_shaped(text) || text.len() <= jwt::LONGEST);
    }
    let Ok(claims @ Value::Object(_)) = serde_json::from_slice::<Value>(bytes) else { return };
    read(&claims);
    signed(&claims);
}

fn read(claims: &Value) {
    let claims: Claims = serde_json::from_value(claims.clone()).expect("an object");
    let now = 1_800_000_000.0;
    if let Ok(until) = claims.until(now) {
        assert!(now < until);
    }
    Grants::of(&claims, true);
}

/// Whoever it names has signed words for a name: of the right issuer, for us, and in time.
fn signed(claims: &Value) {
    let signer = KEYS[0].signer().expect("a private key");
    let Some(token) = signer.sign(claims) else { return };
    for naming in [Naming::ServiceAccount, Naming::TokenServer, Naming::Ourselves] {
        let issuer = Issuer {
            issuer: OURS.to_owned(),
            audiences: vec!["registry".to_owned()],
            algorithms: Vec::new(),
            naming,
        };
        let Ok(login) = issuer.verify(&token, &*KEYS, 1_800_000_000.0) else { continue };
        assert_eq!(claims["iss"], OURS);
        assert!(claims["aud"].to_string().contains("\"registry\""));
        assert!(login.until.is_some_and(|until| until > 1_800_000_000.0));
        // Of what we have written ourselves, nobody else says what is in it.
        let ours = issuer.naming == Naming::Ourselves;
        assert!(ours || !login.who.name().contains(char::is_control), "{login:?}");
    }
}
