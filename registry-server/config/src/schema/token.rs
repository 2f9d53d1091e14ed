//! Section `auth.token`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `auth.token`: another server gives tokens that say what may be done. It takes the place of `auth.htpasswd`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Where clients get tokens.
    pub realm: String,
    /// What the token server calls this registry: the claim `aud`.
    pub service: String,
    /// The claim `iss` of its tokens.
    pub issuer: String,
    /// PEM file of the certificates whose keys sign tokens; re-read when its content changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rootcertbundle: Option<PathBuf>,
    /// A file with the keys that sign tokens, a JWK set; re-read when its content changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<PathBuf>,
    /// Algorithms of signatures that are taken; none: all that are known here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signingalgorithms: Vec<SigningAlgorithm>,
}

/// An algorithm that tokens are signed by. One that needs no key, or the same key on both sides, is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA on P-384.
    #[serde(rename = "ES384")]
    Es384,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    #[serde(rename = "RS512")]
    Rs512,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PSS with SHA-384.
    #[serde(rename = "PS384")]
    Ps384,
    /// RSASSA-PSS with SHA-512.
    #[serde(rename = "PS512")]
    Ps512,
}

impl SigningAlgorithm {
    /// How tokens call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
        }
    }
}
