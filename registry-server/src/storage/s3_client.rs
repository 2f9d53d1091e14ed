//! From settings to a client of a bucket.

use std::time::Duration;

use opendal::{
    HttpTransporter, Operator,
    layers::{RetryLayer, TimeoutLayer},
    services,
};
use opendal_http_transport_reqwest::ReqwestTransport;

/// Calls that move no content.
const CALL: Duration = Duration::from_secs(30);
/// Calls that move a piece of content.
const TRANSFER: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(5);

/// Where the bucket is, and how to get in.
pub struct Options {
    /// URL of the store; none: Amazon's of the region.
    pub endpoint: Option<String>,
    /// URL of the store for clients that fetch from it themselves; none: the same.
    pub public_endpoint: Option<String>,
    /// Region of the bucket.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What keys begin with.
    pub root: String,
    /// Whether the bucket stands in the path.
    pub path_style: bool,
    /// Access key and secret key; none: those of the environment or of the machine.
    pub keys: Option<(String, String)>,
    /// Certificates of the store's authorities, in PEM; none: those of the platform.
    pub authorities: Option<Vec<u8>>,
    /// What the store encrypts with.
    pub encryption: Encryption,
    /// Storage class of new objects.
    pub storage_class: Option<String>,
    /// Canned access control list of new objects.
    pub acl: Option<String>,
    /// Bytes of an upload that make one object.
    pub piece: usize,
}

/// What the store encrypts with.
pub enum Encryption {
    /// Not asked for.
    None,
    /// Keys of the store.
    Store,
    /// A key of the key management service.
    Managed(String),
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The settings contradict each other.
    #[error("storage.s3: refused by the client")]
    Settings(#[source] opendal::Error),
    /// No certificate in the file, or none of the platform.
    #[error("storage.s3.cafile: no certificates to verify the store with; name a file of them")]
    Authorities(#[source] reqwest::Error),
}

impl Options {
    /// Two clients, which have not spoken to the store yet: the server's own, and one that signs for others. Whatever
    /// the public URL is, both fetch their keys as the server reaches the store: nobody speaks to the public one here.
    pub fn clients(&self) -> Result<(Operator, Operator), ClientError> {
        let transport = HttpTransporter::new(ReqwestTransport::new(self.http()?));
        let own = self.client(self.endpoint.as_deref(), transport.clone())?;
        let public = match self.public_endpoint.as_deref() {
            None => own.clone(),
            url => self.client(url, transport)?,
        };
        Ok((own, public))
    }

    fn client(&self, endpoint: Option<&str>, transport: HttpTransporter) -> Result<Operator, ClientError> {
        let operator = Operator::new(self.service(endpoint)).map_err(ClientError::Settings)?;
        let context = operator.context().with_http_transport(transport);
        let limits = TimeoutLayer::new().with_timeout(CALL).with_io_timeout(TRANSFER);
        let retries =
            RetryLayer::new().with_max_times(3).with_min_delay(Duration::from_millis(100)).with_jitter();
        Ok(operator.with_context(context).layer(limits).layer(retries))
    }

    fn service(&self, endpoint: Option<&str>) -> services::S3 {
        let mut service = services::S3::default().region(&self.region).bucket(&self.bucket).root(&self.root);
        if let Some(endpoint) = endpoint {
            service = service.endpoint(endpoint);
        }
        if !self.path_style {
            service = service.enable_virtual_host_style();
        }
        if let Some((access, secret)) = &self.keys {
            service = service.access_key_id(access).secret_access_key(secret);
            service = service.disable_config_load().disable_ec2_metadata();
        }
        service = match &self.encryption {
            Encryption::None => service,
            Encryption::Store => service.server_side_encryption_with_s3_key(),
            Encryption::Managed(key) => service.server_side_encryption_with_customer_managed_kms_key(key),
        };
        if let Some(class) = &self.storage_class {
            service = service.default_storage_class(class);
        }
        if let Some(acl) = &self.acl {
            service = service.default_acl(acl);
        }
        service
    }

    fn http(&self) -> Result<reqwest::Client, ClientError> {
        let mut builder =
            reqwest::Client::builder().connect_timeout(CONNECT).redirect(reqwest::redirect::Policy::none());
        let plain = self.endpoint.as_ref().is_some_and(|url| url.starts_with("http://"));
        if let Some(pem) = &self.authorities {
            let authorities = reqwest::Certificate::from_pem_bundle(pem).map_err(ClientError::Authorities)?;
            builder = builder.tls_certs_only(authorities);
        } else if plain {
            // An image from scratch has no certificates, and none are needed.
            builder = builder.tls_certs_only([]);
        }
        builder.build().map_err(ClientError::Authorities)
    }
}
