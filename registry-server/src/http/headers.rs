//! Responses and the headers that several handlers share.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper::body::Body as _;

/// What a handler gives.
pub type Response = http::Response<Body>;

/// Name of content that is sent.
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// A response without a body.
pub fn empty<const N: usize>(status: StatusCode, headers: [(HeaderName, String); N]) -> Response {
    with_body(status, headers, Body::empty())
}

/// A response.
pub fn with_body<const N: usize>(
    status: StatusCode,
    headers: [(HeaderName, String); N],
    body: Body,
) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// The answer to HEAD: the headers alone. Over HTTP/2 nobody else would take the body away.
pub fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact().filter(|length| *length > 0) {
        parts.headers.entry(header::CONTENT_LENGTH).or_insert(length.into());
    }
    Response::from_parts(parts, Body::empty())
}

/// A JSON document.
pub fn json(value: &serde_json::Value, content_type: &str) -> Response {
    with_body(
        StatusCode::OK,
        [(header::CONTENT_TYPE, content_type.to_owned())],
        Body::from(value.to_string()),
    )
}

/// What this is, for people.
pub fn banner() -> Response {
    let text = format!("registry-server {}\n", env!("CARGO_PKG_VERSION"));
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned())];
    with_body(StatusCode::OK, kind, Body::from(text))
}

/// The header as text, if it is there once and readable.
pub fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether `If-None-Match` names this content, quoted or not (registry B19).
pub fn not_modified(headers: &HeaderMap, digest: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || plain_tag(tag) == digest)
}

/// Whether a range is asked of this content: `If-Range` names it, or is not there. A weak tag or a date names nothing
/// (RFC 9110, section 13.1.5).
pub fn still(headers: &HeaderMap, digest: &str) -> bool {
    headers.get(header::IF_RANGE).is_none_or(|tag| tag.as_bytes() == format!("\"{digest}\"").as_bytes())
}

/// An entity tag without its quotes.
pub fn plain_tag(tag: &str) -> String {
    tag.trim().trim_start_matches("W/").trim_matches('"').to_owned()
}
