//! Keys of issuers: whatever is not a set of public keys is refused, with words.

use registry_server::auth::{
    certificate_names::{CertificateNames, NameKind},
    key_set::KeySet,
};
use serde_json::Value;

/// Takes the bytes for a file of keys, and for a client's certificate.
pub fn check(bytes: &[u8]) {
    match KeySet::read(bytes) {
        Ok(set) => assert!(set.signer().is_none(), "a public key signs nothing"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if KeySet::parse(bytes).is_ok() {
        let value: Value = serde_json::from_slice(bytes).expect("a set is JSON");
        let keys = value["keys"].as_array().expect("a set has keys");
        assert!(keys.iter().all(|key| key["kty"] != "oct" && key["d"].is_null() && key["k"].is_null()));
    }
    if let Some(names) = CertificateNames::read(bytes) {
        for kind in [NameKind::Uri, NameKind::Dns, NameKind::Email] {
            let only = names.only(kind);
            assert!(only.is_none_or(|name| name.bytes().all(|byte| byte.is_ascii_graphic())));
        }
    }
}
