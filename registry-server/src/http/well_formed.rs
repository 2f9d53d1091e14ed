//! What a request must be before anybody looks at what it asks.
//!
//! The limits lie below those of `hyper`. What it cannot read at all it refuses itself: see `error_bodies`.

use http::{StatusCode, Version, header::HOST, request::Parts};
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

/// Refuses what is too long, and what does not say whom it is for (RFC 9112, section 3.2).
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
    Ok(())
}

fn too_long(status: StatusCode, message: &str, limit: usize) -> ApiError {
    ApiError::new(status, ErrorCode::Unsupported, message).detail(json!({ "limit": limit }))
}
