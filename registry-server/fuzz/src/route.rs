//! Paths of requests: whatever is taken is a path that we could have written, and leads to nothing outside of the store.

use registry_server::http::{
    query::{Query, decode, encode},
    route::{Route, RouteError},
};

use crate::reference::{is_digest, is_name, is_tag};

/// Takes the bytes for the path and the query of a request.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    parameters(query);
    match Route::parse(path) {
        Ok(route) => taken(path, &route),
        Err(RouteError::Malformed(error)) => assert!(!error.to_string().is_empty()),
        Err(RouteError::NotFound | RouteError::FirstVersion | RouteError::UploadId) => {}
    }
    if let Some((name, part)) = path.trim_start_matches('/').split_once(':') {
        written(name, part);
    }
}

/// What the specification has a path for leads there, and nothing else does.
fn written(name: &str, part: &str) {
    let reference = is_tag(part) || is_digest(part);
    for (kind, is_part) in
        [("manifests", reference), ("blobs", is_digest(part)), ("referrers", is_digest(part))]
    {
        let path = format!("/v2/{}/{kind}/{}", encode(name), encode(part));
        let content = Route::parse(&path).map(|route| route.content()).unwrap_or_default();
        let leads = content == (Some(name.to_owned()), Some(part.to_owned()));
        assert_eq!(leads, is_name(name) && is_part, "{path}");
    }
}

fn taken(path: &str, route: &Route) {
    let (repository, part) = route.content();
    assert!(repository.as_deref().is_none_or(is_name), "{route:?}");
    let known = |part: &str| match route {
        Route::Manifest(..) => is_tag(part) || is_digest(part),
        Route::Referrers(..) | Route::Blob(..) => is_digest(part),
        _ => part.len() == 36,
    };
    assert!(part.as_deref().is_none_or(known), "{route:?}");
    // What an escape stands for is what it means, once.
    let plain = decode(path).expect("what was taken can be decoded");
    assert!(!plain.contains('%'), "{plain}");
    assert_eq!(Route::parse(&plain).as_ref(), Ok(route));
    assert!(route.methods().contains("GET") || matches!(route, Route::Uploads(_)));
}

fn parameters(text: Option<&str>) {
    let query = Query::parse(text);
    let again = Query::parse(Some(&query.with("last", "a&b=c%20+ä")));
    assert_eq!(again.get("last"), Some("a&b=c%20+ä"));
    for key in ["n", "digest", "mount", "scope"] {
        assert_eq!(query.get(key), again.get(key), "{text:?}");
        assert!(query.all(key).eq(again.all(key)), "{text:?}");
    }
    if let Some(text) = text {
        assert_eq!(decode(&encode(text)).as_deref(), Some(text));
    }
}
