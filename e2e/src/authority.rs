//! A CA of one's own.

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Signs certificates of tests.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one, with a key of its own.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        // A subject like that of its certificates would make those look self-signed.
        params.distinguished_name.push(DnType::CommonName, "a CA of one's own");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A new certificate for `names`, which may be addresses, and its key.
    pub fn pair(&self, names: &[String]) -> Result<(String, String)> {
        self.signed(&CertificateParams::new(names.to_vec())?)
    }

    /// The same for what these say.
    pub fn signed(&self, params: &CertificateParams) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        Ok((params.signed_by(&key, &self.0)?.pem(), key.serialize_pem()))
    }
}
