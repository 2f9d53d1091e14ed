//! One name for a request in every line about it.

use http::{HeaderMap, HeaderName};

use crate::http::headers::text;

/// Where clients and proxies send and find it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The client's id if it is well-formed, else a new one.
pub fn of(headers: &HeaderMap) -> String {
    let well_formed = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    text(headers, REQUEST_ID)
        .filter(well_formed)
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}
