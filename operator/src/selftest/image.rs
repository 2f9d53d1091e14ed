//! One image pushed and pulled, in requests of the OCI distribution specification.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use kube::{
    Client, Config,
    client::{Body, ClientBuilder},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::sleep;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A registry, as one of its users sees it.
pub struct Registry(Client);

impl Registry {
    /// The registry at `url`, by certificates of `ca` (PEM), with the admin's password.
    pub fn at(url: &str, ca: &str, password: &str) -> Result<Self> {
        let mut config = Config::new(url.parse()?);
        let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(ca.as_bytes()).collect();
        config.root_cert =
            Some(roots.context("failed to read the CA")?.iter().map(|root| root.to_vec()).collect());
        let login = format!("Basic {}", STANDARD.encode(format!("admin:{password}")));
        let mut login = header::HeaderValue::from_str(&login)?;
        login.set_sensitive(true);
        config.headers.push((header::AUTHORIZATION, login));
        Ok(Self(ClientBuilder::try_from(config)?.build()))
    }

    /// Waits until it can be reached; what it answers must be right at once.
    pub async fn answers(&self) -> Result<()> {
        loop {
            let request = Request::get("/v2/").body(Body::empty())?;
            match self.0.send(request).await {
                Ok(answer) => {
                    let status = answer.status();
                    ensure!(status == StatusCode::OK, "GET /v2/: {status}");
                    return Ok(());
                }
                Err(error) => tracing::debug!(%error, "not there yet"),
            }
            sleep(Duration::from_millis(250)).await;
        }
    }

    /// Pushes an image of one layer; gives the manifest's digest.
    pub async fn push(&self, name: &str, tag: &str, layer: &[u8]) -> Result<String> {
        let config = b"{\"architecture\":\"amd64\",\"os\":\"linux\"}".as_slice();
        for blob in [config, layer] {
            self.push_blob(name, blob).await?;
        }
        let descriptor =
            |kind: &str, blob: &[u8]| json!({"mediaType": kind, "digest": digest(blob), "size": blob.len()});
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, config),
            "layers": [descriptor(LAYER, layer)]});
        let manifest = serde_json::to_vec(&manifest)?;
        let request =
            Request::put(format!("/v2/{name}/manifests/{tag}")).header(header::CONTENT_TYPE, MANIFEST);
        self.send(request.body(manifest.clone().into())?, StatusCode::CREATED).await?;
        Ok(digest(&manifest))
    }

    async fn push_blob(&self, name: &str, blob: &[u8]) -> Result<()> {
        let begin = Request::post(format!("/v2/{name}/blobs/uploads/")).body(Body::empty())?;
        let begun = self.send(begin, StatusCode::ACCEPTED).await?;
        let location = begun.headers().get(header::LOCATION).context("no Location for the upload")?;
        let location: http::Uri = location.to_str()?.parse()?;
        let path = location.path_and_query().context("no path in the Location")?.as_str();
        let mark = if path.contains('?') { '&' } else { '?' };
        let request = Request::put(format!("{path}{mark}digest={}", digest(blob)))
            .header(header::CONTENT_TYPE, "application/octet-stream");
        self.send(request.body(blob.to_vec().into())?, StatusCode::CREATED).await.map(drop)
    }

    /// Pulls an image of one layer: the manifest's digest, and the layer.
    pub async fn pull(&self, name: &str, tag: &str) -> Result<(String, Vec<u8>)> {
        let request = Request::get(format!("/v2/{name}/manifests/{tag}")).header(header::ACCEPT, MANIFEST);
        let manifest = self.bytes(request.body(Body::empty())?).await?;
        let read: Value = serde_json::from_slice(&manifest)?;
        let layer = read["layers"][0]["digest"].as_str().context("the manifest names no layer")?;
        let request = Request::get(format!("/v2/{name}/blobs/{layer}")).body(Body::empty())?;
        Ok((digest(&manifest), self.bytes(request).await?))
    }

    async fn bytes(&self, request: Request<Body>) -> Result<Vec<u8>> {
        let answer = self.send(request, StatusCode::OK).await?;
        Ok(answer.into_body().collect().await?.to_bytes().to_vec())
    }

    async fn send(&self, request: Request<Body>, expected: StatusCode) -> Result<Response<Body>> {
        let (method, uri): (Method, http::Uri) = (request.method().clone(), request.uri().clone());
        let answer = self.0.send(request).await.with_context(|| format!("{method} {uri}"))?;
        let status = answer.status();
        if status != expected {
            let said = answer.into_body().collect().await?.to_bytes();
            bail!("{method} {uri}: {status} {}", String::from_utf8_lossy(&said));
        }
        Ok(answer)
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
