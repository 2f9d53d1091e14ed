//! Handlers of lists: tags, repositories, referrers.

use http::{HeaderName, HeaderValue, header};
use serde_json::{Value, json};

use crate::{
    auth::policy::Rights,
    http::{
        door::Asked,
        error::ApiError,
        headers::{self, Response},
    },
    oci::{digest::Digest, error_code::ErrorCode, manifest::OCI_INDEX, repository_name::RepositoryName},
    registry::{service::Registry, tags::Page},
};

/// Longest page that can be asked for.
const LARGEST: usize = 1_000;
/// Length of a page when none is asked for.
const UNASKED: usize = 10_000;
const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

/// `n`: digits only, clamped; `unasked` without it.
pub(in crate::http) fn count(asked: &Asked, unasked: usize) -> Result<usize, ApiError> {
    let Some(text) = asked.query.get("n") else { return Ok(unasked) };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse::<u64>().ok().filter(|_| digits);
    let refused = || {
        ApiError::bad(ErrorCode::Unsupported, "n is not a number")
            .detail(json!({ "parameter": "n", "value": text }))
    };
    Ok(usize::try_from(number.ok_or_else(refused)?).map_or(LARGEST, |number| number.min(LARGEST)))
}

/// The document, with a link to the next page when there is one.
fn paged(document: &Value, content_type: &str, asked: &Asked, last: Option<&str>) -> Response {
    let mut response = headers::json(document, content_type);
    if let Some(last) = last {
        let link = format!("<{}?{}>; rel=\"next\"", asked.parts.uri.path(), asked.query.with("last", last));
        if let Ok(link) = HeaderValue::try_from(link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}

fn last_of(page: &Page) -> Option<&str> {
    page.names.last().filter(|_| page.more).map(String::as_str)
}

/// `GET /v2/<name>/tags/list`.
pub async fn tags(registry: &Registry, name: &RepositoryName, asked: &Asked) -> Result<Response, ApiError> {
    let page = registry.tags(name, asked.query.get("last"), count(asked, UNASKED)?).await?;
    let document = json!({ "name": name.as_str(), "tags": page.names });
    Ok(paged(&document, "application/json", asked, last_of(&page)))
}

/// `GET /v2/_catalog`.
pub async fn catalog(registry: &Registry, asked: &Asked, rights: Rights<'_>) -> Result<Response, ApiError> {
    let shown = |name: &str| rights.may_see(name);
    let page = registry.catalog(asked.query.get("last"), count(asked, UNASKED)?, shown).await?;
    let document = json!({ "repositories": page.names });
    Ok(paged(&document, "application/json", asked, last_of(&page)))
}

/// `GET /v2/<name>/referrers/<digest>`.
pub async fn referrers(
    registry: &Registry,
    name: &RepositoryName,
    digest: &Digest,
    asked: &Asked,
) -> Result<Response, ApiError> {
    let filter = asked.query.get("artifactType").filter(|wanted| !wanted.is_empty());
    let found = registry.referrers(name, digest, filter, asked.query.get("last")).await?;
    let mut response = paged(&found.index(), OCI_INDEX, asked, found.next.as_deref());
    if filter.is_some() {
        response.headers_mut().insert(FILTERS, HeaderValue::from_static("artifactType"));
    }
    Ok(response)
}
