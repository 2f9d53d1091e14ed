//! What is left of the first version of the API: clients ask it whether somebody is there.

use axum::body::Body;
use http::{HeaderName, StatusCode, header};

use crate::{
    http::{
        error::ApiError,
        headers::{self, Response},
        route::{Route, RouteError},
    },
    registry::service::{LATELY, Registry},
};

const STANDALONE: HeaderName = HeaderName::from_static("x-docker-registry-standalone");

/// Whether the path is one of it. There a challenge makes clients give up, and nothing is shown (registry VL1).
pub const fn is_asked(route: &Result<Route, RouteError>) -> bool {
    matches!(route, Ok(Route::FirstPing) | Err(RouteError::FirstVersion))
}

/// `GET /v1/_ping`. Anybody may send it: the store is not asked for each.
pub async fn ping(registry: &Registry) -> Result<Response, ApiError> {
    registry.ready(LATELY).await.map_err(|_| ApiError::unavailable("the store cannot be used now"))?;
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (STANDALONE, "true".to_owned())];
    Ok(headers::with_body(StatusCode::OK, headers, Body::from("true")))
}
