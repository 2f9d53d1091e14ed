//! Handlers of manifests.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{
    http::{
        body,
        door::Asked,
        error::ApiError,
        headers::{self, CONTENT_DIGEST, Response},
        inbound::Inbound,
    },
    oci::{error_code::ErrorCode, reference::Reference, repository_name::RepositoryName, tag::Tag},
    registry::{
        condition::{Condition, Content},
        error::RegistryError,
        manifests::{Push, Stored},
        service::Registry,
    },
};

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
    let digest = digest.to_string();
    let common = [(CONTENT_DIGEST, digest.clone()), (header::ETAG, format!("\"{digest}\""))];
    if headers::not_modified(&asked.parts.headers, &digest) {
        return Ok(headers::empty(StatusCode::NOT_MODIFIED, common));
    }
    let length = bytes.len();
    let body = if asked.head() { Body::empty() } else { Body::from(bytes) };
    let mut response = headers::with_body(StatusCode::OK, common, body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    Ok(response)
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
    let condition = condition(&asked.parts.headers);
    let completeness = asked.settings.completeness.clone();
    let immutable = asked.settings.immutable.clone();
    let push =
        Push { reference, tags: tags.clone(), content_type, completeness, immutable, condition, bytes };
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

/// `If-Match` and `If-None-Match` of a push (registry H14).
fn condition(headers: &HeaderMap) -> Condition {
    let content = |name: HeaderName| {
        let values: Vec<&str> = headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
        let tags = values.iter().flat_map(|value| value.split(','));
        let digests: Vec<String> = tags.map(headers::plain_tag).collect();
        let any = digests.iter().any(|digest| digest == "*");
        (!digests.is_empty()).then_some(if any { Content::Any } else { Content::OneOf(digests) })
    };
    Condition { matches: content(header::IF_MATCH), matches_not: content(header::IF_NONE_MATCH) }
}

/// `DELETE`.
pub async fn delete(
    registry: &Registry,
    name: &RepositoryName,
    reference: &Reference,
    asked: &Asked,
) -> Result<Response, ApiError> {
    registry.delete_manifest(name, reference, &asked.settings.immutable).await?;
    Ok(headers::empty(StatusCode::ACCEPTED, [(header::CONTENT_LENGTH, "0".to_owned())]))
}
