//! From PEM files to what connections are accepted with.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    InconsistentKeys, RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    version,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::{
    http::certificate::{self, Inspected, Weakness},
    watched_file::Contents,
};

/// Where certificates are, and what is asked of clients.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate, then its intermediates.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// Authorities whose clients may connect; none: clients show no certificate.
    pub client_authorities: Vec<PathBuf>,
    /// Whether clients without a certificate are turned away when there are authorities.
    pub clients_need_certificates: bool,
    /// TLS 1.3 and nothing older.
    pub only_newest_protocol: bool,
}

/// Why the files are of no use.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("http.tls: cannot read a file")]
    Read(#[source] std::io::Error),
    /// Not PEM, or the wrong kind of it.
    #[error("http.tls: {what} is not PEM")]
    Pem {
        /// Which file.
        what: &'static str,
        /// What is wrong with it.
        source: rustls_pki_types::pem::Error,
    },
    /// A file that has no certificate in it.
    #[error("http.tls: {0} has no certificate")]
    Empty(&'static str),
    /// The certificate cannot be read.
    #[error("http.tls.certificate: it cannot be read")]
    Unreadable(#[source] x509_parser::error::X509Error),
    /// Clients would refuse the certificate.
    #[error("http.tls.certificate: clients would refuse it: {0}; have it issued anew")]
    Weak(Weakness),
    /// The key belongs to another certificate.
    #[error("http.tls.key: it is not the key of http.tls.certificate")]
    OtherKey,
    /// One of them is of a kind that is not known.
    #[error("http.tls: certificate and key are refused")]
    Pair(#[source] rustls::Error),
    /// A client authority is not one.
    #[error("http.tls.clientcas: a certificate is refused")]
    Authority(#[source] rustls::Error),
    /// The authorities together are of no use.
    #[error("http.tls.clientcas: the certificates are refused")]
    Authorities(#[source] rustls::server::VerifierBuilderError),
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Self::OtherKey,
            other => Self::Pair(other),
        }
    }
}

/// What connections are accepted with.
#[derive(Debug)]
pub struct Built {
    /// As the TLS library wants it.
    pub config: Arc<ServerConfig>,
    /// The certificate, whose weaknesses are not fatal.
    pub certificate: Inspected,
}

impl Files {
    /// Every file, in the order in which [`Files::build`] wants their contents.
    pub fn paths(&self) -> Vec<PathBuf> {
        [&self.certificate, &self.key].into_iter().chain(&self.client_authorities).cloned().collect()
    }

    /// What connections are accepted with when the files have these contents at the second `now`.
    pub fn build(&self, contents: &Contents, now: i64) -> Result<Built, TlsError> {
        let [certificate, key, authorities @ ..] = contents.as_slice() else {
            return Err(TlsError::Empty("certificate"));
        };
        let chain = certificates("certificate", certificate)?;
        let certificate = certificate::inspect(&chain[0], now).map_err(TlsError::Unreadable)?;
        if let Some(weakness) = certificate.weaknesses.iter().find(|weakness| weakness.fatal()) {
            return Err(TlsError::Weak(*weakness));
        }
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|source| TlsError::Pem { what: "key", source })?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = self.verifier(authorities, &provider)?;
        let versions: &[_] = match self.only_newest_protocol {
            true => &[&version::TLS13],
            false => &[&version::TLS13, &version::TLS12],
        };
        let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions)?;
        let mut config = builder.with_client_cert_verifier(verifier).with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if !authorities.is_empty() {
            never_resume(&mut config);
        }
        Ok(Built { config: Arc::new(config), certificate })
    }

    fn verifier(
        &self,
        authorities: &[Vec<u8>],
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        if authorities.is_empty() {
            return Ok(WebPkiClientVerifier::no_client_auth());
        }
        let mut roots = RootCertStore::empty();
        for file in authorities {
            for certificate in certificates("clientcas", file)? {
                roots.add(certificate).map_err(TlsError::Authority)?;
            }
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let builder = if self.clients_need_certificates { builder } else { builder.allow_unauthenticated() };
        builder.build().map_err(TlsError::Authorities)
    }
}

/// A session that is resumed brings the client's certificate along, and nobody looks at it again.
fn never_resume(config: &mut ServerConfig) {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|source| TlsError::Pem { what, source })?;
    if found.is_empty() { Err(TlsError::Empty(what)) } else { Ok(found) }
}
