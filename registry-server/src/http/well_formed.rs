//! What a request must be before anybody looks at what it asks.
//!
//! The limits lie below those of `hyper`. What it cannot read at all it refuses itself: see `error_bodies`.

use http::{
    HeaderMap, HeaderValue, StatusCode, Version,
    header::{CONNECTION, HOST, TRANSFER_ENCODING},
    request::Parts,
};
use serde_json::json;

use crate::{http::error::ApiError, oci::error_code::ErrorCode};

/// As long as other registries and proxies take it.
pub const LONGEST_URI: usize = 8 << 10;
/// All names and values of a header together.
pub const LONGEST_HEADER: usize = 32 << 10;
/// More are refused.
pub const MOST_FIELDS: usize = 100;

/// `hyper` gives up above these.
pub const READ_FIELDS: usize = 400;
/// The URI counts here, too, and 32 bytes a field.
pub const READ_HEADER: u32 = 80 << 10;

/// Refuses what is too long, what does not say whom it is for (RFC 9112, section 3.2), and what is coded in a way that
/// nobody here decodes.
pub fn check(parts: &Parts) -> Result<(), ApiError> {
    if parts.uri.path_and_query().is_some_and(|text| text.as_str().len() > LONGEST_URI) {
        return Err(too_long(StatusCode::URI_TOO_LONG, "URI is too long", LONGEST_URI));
    }
    let bytes: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > LONGEST_HEADER {
        return Err(too_long(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "header is too long",
            LONGEST_HEADER,
        ));
    }
    if parts.headers.len() > MOST_FIELDS {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(too_long(status, "header has too many fields", MOST_FIELDS));
    }
    let hosts = parts.headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && parts.version == Version::HTTP_11) {
        return Err(ApiError::bad(ErrorCode::Unsupported, "a request needs one Host header"));
    }
    if !can_be_decoded(&parts.headers) {
        let message = "chunked is the only transfer coding here";
        let refused = ApiError::new(StatusCode::NOT_IMPLEMENTED, ErrorCode::Unsupported, message);
        return Err(refused.header(CONNECTION, "close"));
    }
    Ok(())
}

/// `hyper` takes the chunks apart when they are the last coding, and leaves the others: what they wrap would be taken for
/// the content (RFC 9112, section 6.1).
fn can_be_decoded(headers: &HeaderMap) -> bool {
    let chunked = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    codings.next().is_none_or(chunked) && codings.next().is_none()
}

fn too_long(status: StatusCode, message: &str, limit: usize) -> ApiError {
    ApiError::new(status, ErrorCode::Unsupported, message).detail(json!({ "limit": limit }))
}
