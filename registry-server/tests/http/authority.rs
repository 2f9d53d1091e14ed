//! Certificates for tests.

use std::{path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use registry_server::http::tls_config::Files;
use tokio_rustls::TlsAcceptor;

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

    /// Ends TLS with such a certificate; no protocol is negotiated.
    pub fn acceptor(&self) -> TlsAcceptor {
        let (certificate, key) = self.pair();
        let files = Files {
            certificate: "unused".into(),
            key: "unused".into(),
            client_authorities: Vec::new(),
            clients_need_certificates: false,
            only_newest_protocol: false,
        };
        let now = jiff::Timestamp::now().as_second();
        let built = files.build(&vec![certificate.into(), key.into()], now).unwrap();
        let mut config = (*built.config).clone();
        config.alpn_protocols.clear();
        Arc::new(config).into()
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
