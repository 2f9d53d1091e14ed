//! The listener for those who forgot the `s`: it leads them to https, and answers nothing else.

use std::convert::Infallible;

use axum::body::Body;
use http::{Request, StatusCode, header, uri::Authority};
use hyper::body::Incoming;

use crate::http::headers::{self, Response};

/// Answers any request with 301 to the same place at `port` over TLS; 400 when it names no host.
pub async fn handle(request: Request<Incoming>, port: u16) -> Result<Response, Infallible> {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = named.and_then(|host| host.parse::<Authority>().ok());
    let Some(host) = host else {
        return Ok(headers::with_body(StatusCode::BAD_REQUEST, [], Body::from("a Host header is missing\n")));
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let location = match port {
        443 => format!("https://{}{path}", host.host()),
        port => format!("https://{}:{port}{path}", host.host()),
    };
    Ok(headers::with_body(StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)], Body::empty()))
}
