//! Handlers of manifests.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{
    http::{
        body, conditions,
        door::Asked,
        error::ApiError,
        headers::{self, CONTENT_DIGEST, Response},
        inbound::Inbound,
    },
    oci::{
        digest::Digest, error_code::ErrorCode, reference::Reference, repository_name::RepositoryName,
        tag::Tag,
    },
    registry::{
        error::RegistryError,
        manifests::{Push, Stored},
        service::Registry,
    },
};

/// Bytes of a manifest that may wait for a client that does not take them.
const WAITING: usize = 256 << 10;
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const TAG: HeaderName = HeaderName::from_static("oci-tag");

/// `GET` and `HEAD`. `Accept` never changes the answer.
pub async fn get(
    registry: &Registry,
    name: &RepositoryName,
    reference: &Reference,
    asked: &Asked,
) -> Result<Response, ApiError> {
    let Stored { digest, media_type, bytes } = registry.manifest(name, reference).await?;
    let common = [(CONTENT_DIGEST, digest.to_string()), (header::ETAG, format!("\"{digest}\""))];
    if headers::not_modified(&asked.parts.headers, &digest.to_string()) {
        return Ok(headers::empty(StatusCode::NOT_MODIFIED, common));
    }
    let length = bytes.len();
    let body = if asked.head() { Body::empty() } else { outgoing(registry, &digest, bytes).await? };
    let mut response = headers::with_body(StatusCode::OK, common, body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    Ok(response)
}

/// A large one is read again as the client takes it.
async fn outgoing(registry: &Registry, digest: &Digest, bytes: Bytes) -> Result<Body, ApiError> {
    if bytes.len() <= WAITING {
        return Ok(Body::from(bytes));
    }
    let length = bytes.len() as u64;
    drop(bytes);
    Ok(Body::from_stream(registry.manifest_bytes(digest, length).await?))
}

/// `PUT`.
pub async fn put(
    registry: &Registry,
    name: &RepositoryName,
    reference: Reference,
    asked: &Asked,
    body: &mut Inbound,
) -> Result<Response, ApiError> {
    let tags = asked.query.all("tag").map(|tag| tag.parse().map_err(ApiError::parameter("tag")));
    let tags: Vec<Tag> = tags.collect::<Result<_, _>>()?;
    let limit = asked.settings.max_manifest;
    let bytes = body::whole(body, limit).await.map_err(RegistryError::Body)?;
    let bytes = bytes.ok_or_else(|| {
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::ManifestInvalid, "manifest is too large")
            .detail(json!({ "limit": limit }))
    })?;
    let content_type = headers::text(&asked.parts.headers, header::CONTENT_TYPE).map(str::to_owned);
    let (completeness, terms) = (asked.settings.completeness.clone(), conditions::terms(asked));
    let push = Push { reference, tags: tags.clone(), content_type, completeness, terms, bytes };
    let pushed = registry.put_manifest(name, push).await?;
    let mut response = headers::empty(
        StatusCode::CREATED,
        [
            (header::LOCATION, format!("/v2/{name}/manifests/{}", pushed.digest)),
            (CONTENT_DIGEST, pushed.digest.to_string()),
            (header::CONTENT_LENGTH, "0".to_owned()),
        ],
    );
    let subject = pushed.subject.iter().map(|subject| (SUBJECT, subject.to_string()));
    for (header, value) in subject.chain(tags.iter().map(|tag| (TAG, tag.to_string()))) {
        if let Ok(value) = value.parse() {
            response.headers_mut().append(header, value);
        }
    }
    Ok(response)
}

/// `DELETE`.
pub async fn delete(
    registry: &Registry,
    name: &RepositoryName,
    reference: &Reference,
    asked: &Asked,
) -> Result<Response, ApiError> {
    let deleted = registry.delete_manifest(name, reference, &conditions::terms(asked)).await?;
    let mut response = headers::empty(StatusCode::ACCEPTED, [(header::CONTENT_LENGTH, "0".to_owned())]);
    // For the audit log; clients are not told.
    response.extensions_mut().insert(deleted);
    Ok(response)
}
