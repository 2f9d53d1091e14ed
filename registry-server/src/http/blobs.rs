//! Handlers of blobs.

use axum::body::Body;
use http::{StatusCode, header};

use crate::{
    http::{
        conditions,
        door::Asked,
        error::ApiError,
        headers::{self, CONTENT_DIGEST, Response},
    },
    oci::{
        byte_range::{self, Requested},
        digest::Digest,
        repository_name::RepositoryName,
    },
    registry::service::Registry,
};

/// `GET` and `HEAD`.
pub async fn get(
    registry: &Registry,
    name: &RepositoryName,
    digest: &Digest,
    asked: &Asked,
) -> Result<Response, ApiError> {
    // Nobody comes back from the store to be told that the blob is gone.
    let away = may_send_away(registry, asked);
    let size = match asked.head() || away {
        true => registry.blob_size_now(name, digest).await?,
        false => registry.blob_size(name, digest).await?,
    };
    let text = digest.to_string();
    let common = [
        (CONTENT_DIGEST, text.clone()),
        (header::ETAG, format!("\"{text}\"")),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
    ];
    if headers::not_modified(&asked.parts.headers, &text) {
        return Ok(headers::empty(StatusCode::NOT_MODIFIED, common));
    }
    let range = headers::text(&asked.parts.headers, header::RANGE)
        .filter(|_| !asked.head() && headers::still(&asked.parts.headers, &text));
    let (status, part) = match byte_range::requested(range, size) {
        Requested::Whole => (StatusCode::OK, 0..size),
        Requested::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Requested::Unsatisfiable => {
            let mut refused = headers::empty(StatusCode::RANGE_NOT_SATISFIABLE, common);
            insert(&mut refused, header::CONTENT_RANGE, format!("bytes */{size}"));
            return Ok(refused);
        }
    };
    let length = part.end - part.start;
    if away
        && length > 0
        && let Some(url) = registry.blob_url(digest).await?
    {
        let mut answer = headers::empty(StatusCode::TEMPORARY_REDIRECT, common);
        insert(&mut answer, header::LOCATION, url);
        return Ok(answer);
    }
    let body = if asked.head() || length == 0 {
        Body::empty()
    } else {
        Body::from_stream(registry.blob_bytes(digest, part.clone()).await?)
    };
    let mut response = headers::with_body(status, common, body);
    insert(&mut response, header::CONTENT_TYPE, "application/octet-stream".to_owned());
    insert(&mut response, header::CONTENT_LENGTH, length.to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        insert(&mut response, header::CONTENT_RANGE, range);
    }
    Ok(response)
}

/// Whether this client may have to fetch a blob from the store. Who only looks is answered here.
fn may_send_away(registry: &Registry, asked: &Asked) -> bool {
    registry.redirects() && !asked.head() && !asked.settings.served_here.contain(asked.client)
}

fn insert(response: &mut Response, name: http::HeaderName, value: String) {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
}

/// `DELETE`.
pub async fn delete(
    registry: &Registry,
    name: &RepositoryName,
    digest: &Digest,
    asked: &Asked,
) -> Result<Response, ApiError> {
    registry.delete_blob(name, digest, &conditions::terms(asked)).await?;
    Ok(headers::empty(StatusCode::ACCEPTED, [(header::CONTENT_LENGTH, "0".to_owned())]))
}
