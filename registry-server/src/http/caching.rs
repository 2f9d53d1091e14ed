//! What caches on the way may keep (RFC 9111; `immutable`: RFC 8246).

use http::{HeaderValue, Method, StatusCode, header::CACHE_CONTROL};

use crate::{
    http::{headers::Response, route::Route},
    oci::reference::Reference,
};

/// A year, which is as long as caches count.
const FOR_EVER: &str = "max-age=31536000, immutable";
/// The same where one has to log in: what is sent to one is not for others.
const FOR_THEIRS: &str = "private, max-age=31536000, immutable";
/// It may change: whoever keeps it asks again. A manifest has an `ETag` for that.
const ASK_AGAIN: &str = "no-cache";

/// What may be kept of a good answer to this.
pub fn of(route: &Route, method: &Method, logins: bool) -> Option<&'static str> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    match route {
        Route::Blob(..) | Route::Manifest(_, Reference::Digest(_)) if logins => Some(FOR_THEIRS),
        Route::Blob(..) | Route::Manifest(_, Reference::Digest(_)) => Some(FOR_EVER),
        Route::Manifest(_, Reference::Tag(_)) => Some(ASK_AGAIN),
        route if route.lists() => Some(ASK_AGAIN),
        _ => None,
    }
}

/// Says so in a good answer. A redirect leads to a place that does not last.
pub fn tell(response: &mut Response, kept: Option<&'static str>) {
    let good =
        matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED);
    if let Some(kept) = kept.filter(|_| good) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    }
}
