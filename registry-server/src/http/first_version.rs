//! What is left of the first version of the API: clients ask it whether somebody is there, and search by it.

use axum::body::Body;
use http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    auth::policy::Rights,
    http::{
        door::Asked,
        error::ApiError,
        headers::{self, Response},
        lists,
        route::{Route, RouteError},
    },
    registry::service::{LATELY, Registry},
};

const STANDALONE: HeaderName = HeaderName::from_static("x-docker-registry-standalone");

/// Repositories that are found when nothing is said, and at most: as many as `docker search` shows, and asks for.
const FOUND: usize = 25;
const MOST_FOUND: usize = 100;

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

/// `GET /v1/search?q=bus&n=25`, as `docker search` and `podman search` ask. There are no descriptions or stars here.
pub async fn search(registry: &Registry, asked: &Asked, rights: Rights<'_>) -> Result<Response, ApiError> {
    let term = asked.query.get("q").unwrap_or_default();
    let most = lists::count(asked, FOUND)?.min(MOST_FOUND);
    let found = registry.search(term, most, |name| rights.may_see(name)).await?;
    let entry =
        |name: &String| json!({"name": name, "description": "", "star_count": 0, "is_official": false});
    let results: Vec<Value> = found.iter().map(entry).collect();
    let document = json!({ "query": term, "num_results": results.len(), "results": results });
    Ok(headers::json(&document, "application/json"))
}
