//! The key that this server signs tokens of its own with.

use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, ThumbprintHash},
};
use serde_json::{Value, json};

/// The algorithm of all tokens of ours.
const ALGORITHM: Algorithm = Algorithm::ES256;

/// A private key. Nothing prints it.
pub struct Signer {
    id: String,
    key: EncodingKey,
    public: Value,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads a PEM file; nothing, if it has no private key of the curve P-256 in PKCS #8.
    pub fn read(pem: &[u8]) -> Option<Self> {
        let key = EncodingKey::from_ec_pem(pem).ok()?;
        let jwk = Jwk::from_encoding_key(&key, ALGORITHM).ok()?;
        let id = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        let mut public = serde_json::to_value(jwk).ok()?;
        public["kid"] = id.clone().into();
        public["use"] = "sig".into();
        let signer = Self { id, key, public };
        // A key of another curve would be told only when it is needed.
        signer.sign(&json!({})).map(|_| signer)
    }

    /// The public part, as a member of a JWK set.
    pub fn public(&self) -> &Value {
        &self.public
    }

    /// A token that says this.
    pub fn sign(&self, claims: &Value) -> Option<String> {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(ALGORITHM) };
        jsonwebtoken::encode(&header, claims, &self.key).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry A8
    #[test]
    fn a_key_for_tokens_is_a_private_one_of_the_curve() {
        let pair = |kind| rcgen::KeyPair::generate_for(kind).unwrap();
        let right = pair(&rcgen::PKCS_ECDSA_P256_SHA256);
        let signer = Signer::read(right.serialize_pem().as_bytes()).unwrap();
        assert!(signer.sign(&json!({ "a": 1 })).is_some());
        assert!(signer.public().get("d").is_none() && !format!("{signer:?}").contains("key"));
        for wrong in [&rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519, &rcgen::PKCS_RSA_SHA256] {
            assert!(Signer::read(pair(wrong).serialize_pem().as_bytes()).is_none());
        }
        for wrong in [right.public_key_pem().as_bytes(), b"", b"secret"] {
            assert!(Signer::read(wrong).is_none());
        }
    }
}
