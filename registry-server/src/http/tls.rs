//! The server's certificate, and taking over a new one.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::{
    metrics,
    watched_file::{self, Contents},
};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// Why a pair of files is no certificate with its key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The files cannot be read.
    #[error("cannot read the certificate or its key")]
    Read(#[source] std::io::Error),
    /// Not PEM, or nothing in it.
    #[error("certificate or key is not PEM")]
    Pem(#[source] rustls_pki_types::pem::Error),
    /// No certificate in the file.
    #[error("the certificate file has no certificate")]
    Empty,
    /// They do not fit together.
    #[error("certificate and key are refused")]
    Refused(#[source] rustls::Error),
}

/// What new connections are accepted with.
pub type Current = Arc<ArcSwap<ServerConfig>>;

fn build(contents: &Contents) -> Result<Arc<ServerConfig>, TlsError> {
    let [certificate, key] = contents.as_slice() else { return Err(TlsError::Empty) };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(certificate).collect::<Result<_, _>>().map_err(TlsError::Pem)?;
    if chain.is_empty() {
        return Err(TlsError::Empty);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::Pem)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Refused)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Refused)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Reads the pair and follows it: a bad one is refused and the last good one kept.
pub fn start(certificate: PathBuf, key: PathBuf) -> Result<Current, TlsError> {
    let paths = vec![certificate, key];
    let contents = watched_file::read(&paths).map_err(TlsError::Read)?;
    let current: Current = Arc::new(ArcSwap::from(build(&contents)?));
    let target = Arc::clone(&current);
    tokio::spawn(watched_file::follow(paths, PERIOD, contents, move |now| {
        let built =
            now.map_err(str::to_owned).and_then(|contents| build(contents).map_err(|e| e.to_string()));
        match built {
            Ok(config) => {
                target.store(config);
                tracing::info!("new certificate");
            }
            Err(reason) => {
                metrics::reload_failed("tls");
                tracing::error!(reason, "new certificate refused, the old one stays");
            }
        }
    }));
    Ok(current)
}
