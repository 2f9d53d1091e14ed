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

const NOW: f64 = 1_800_000_000.0;
/// How far apart clocks may be, in seconds.
const LEEWAY: f64 = 60.0;
const OURS: &str = "https://issuer.example.com";
/// The key that tokens here are signed with.
pub static KEYS: LazyLock<[Arc<KeySet>; 1]> = LazyLock::new(|| {
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
    if let Ok(until) = claims.until(NOW) {
        assert!(NOW < until);
    }
    Grants::of(&claims, true);
}

/// Whoever it names has signed words for a name: of the right issuer, for us, and in time.
fn signed(claims: &Value) {
    let signer = KEYS[0].signer().expect("a private key");
    let Some(token) = signer.sign(claims) else { return };
    let forge = Naming::Oidc {
        name: "forge".to_owned(),
        user: "email".to_owned(),
        groups: Some("groups".to_owned()),
        required: [("owner".to_owned(), "acme".to_owned())].into(),
    };
    for naming in [Naming::ServiceAccount, Naming::TokenServer, Naming::Ourselves, forge] {
        let issuer = Issuer {
            issuer: OURS.to_owned(),
            audiences: vec!["registry".to_owned()],
            algorithms: Vec::new(),
            naming,
        };
        let verified = issuer.verify(&token, &*KEYS, NOW);
        let others = Issuer { algorithms: vec!["RS256", "EdDSA"], ..issuer.clone() };
        assert!(others.verify(&token, &*KEYS, NOW).is_err(), "{claims}");
        if let Some(named) = names(&issuer.naming, claims) {
            assert_eq!(verified.is_ok(), counts(claims) && named, "{claims} {:?}", issuer.naming);
        }
        let Ok(login) = verified else { continue };
        assert!(counts(claims), "{claims}");
        assert!(login.until.is_some_and(|until| until > NOW));
        // Of what we have written ourselves, nobody else says what is in it.
        let ours = issuer.naming == Naming::Ourselves;
        assert!(ours || !login.who.name().contains(char::is_control), "{login:?}");
    }
}

/// Whether it is of the right issuer, for us, and in time (RFC 7519, section 4.1).
fn counts(claims: &Value) -> bool {
    let ours = |one: &Value| one == "registry";
    let audience = ours(&claims["aud"]) || claims["aud"].as_array().is_some_and(|all| all.iter().any(ours));
    let ends = claims["exp"].as_f64().is_some_and(|time| NOW < time + LEEWAY);
    let begins = claims.get("nbf").is_none_or(|time| time.as_f64().is_some_and(|time| time - LEEWAY <= NOW));
    claims["iss"] == OURS && audience && ends && begins
}

/// Whether it names somebody; of what we have written ourselves only we know.
fn names(naming: &Naming, claims: &Value) -> Option<bool> {
    let plain = |text: &str| (1..=255).contains(&text.len()) && !text.contains(char::is_control);
    let sub = claims["sub"].as_str().unwrap_or_default();
    let part = |text: &str| plain(text) && !text.contains(['/', ':']);
    let account = || sub.strip_prefix("system:serviceaccount:")?.split_once(':');
    match naming {
        Naming::ServiceAccount => Some(account().is_some_and(|(space, name)| part(space) && part(name))),
        Naming::TokenServer => Some(sub.is_empty() || plain(sub)),
        Naming::Oidc { .. } => {
            let verified = claims.get("email_verified").is_none_or(|said| *said == true);
            let email = claims["email"].as_str().is_some_and(plain);
            Some(claims["owner"] == "acme" && verified && email)
        }
        Naming::Ourselves => None,
    }
}
