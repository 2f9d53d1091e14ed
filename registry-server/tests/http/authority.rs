//! Certificates for tests.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Signs certificates for this machine.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // A subject like that of its certificates would make those look self-signed.
        params.distinguished_name.push(DnType::CommonName, "Test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate that it signed, and the key.
    pub fn pair(&self) -> (String, String) {
        self.pair_with(|_| ())
    }

    /// The same with something changed.
    pub fn pair_with(&self, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Writes such a pair to `crt` and `key`.
    pub fn server(&self, folder: &Path) {
        write(folder, &self.pair());
    }
}

/// Writes a pair to `crt` and `key`.
pub fn write(folder: &Path, (certificate, key): &(String, String)) {
    std::fs::write(folder.join("crt"), certificate).unwrap();
    std::fs::write(folder.join("key"), key).unwrap();
}
