//! A client that looks for canaries in whatever it is told, and plants those that it shows.

use std::{
    fmt::Display,
    pin::Pin,
    task::{Context, Poll, ready},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use hyper::body::{Frame, SizeHint};
use reqwest::{Body, Error, IntoUrl, Method, Response, ResponseBuilderExt};

use crate::canaries;

/// Longer canaries may be cut in two by the frames of a body.
const LONGEST: usize = 4096;

#[derive(Clone, Debug)]
pub struct Client(reqwest::Client);

/// Of a builder's client.
pub trait Watch {
    fn watched(self) -> Client;
}

impl Watch for reqwest::ClientBuilder {
    fn watched(self) -> Client {
        Client(self.build().unwrap())
    }
}

impl Client {
    pub fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        RequestBuilder(self.0.request(method, url))
    }

    pub fn head(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::HEAD, url)
    }

    pub fn get(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    pub fn put(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::PUT, url)
    }
}

#[derive(Debug)]
pub struct RequestBuilder(reqwest::RequestBuilder);

impl RequestBuilder {
    pub fn header<N, V>(self, name: N, value: V) -> Self
    where
        HeaderName: TryFrom<N, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        let name = HeaderName::try_from(name).map_err(Into::<http::Error>::into).unwrap();
        let value = HeaderValue::try_from(value).map_err(Into::<http::Error>::into).unwrap();
        if name == http::header::AUTHORIZATION {
            let shown = String::from_utf8_lossy(value.as_bytes()).into_owned();
            canaries::shown(shown.split_once(' ').map_or("", |(_, secret)| secret));
        }
        Self(self.0.header::<HeaderName, HeaderValue>(name, value))
    }

    pub fn basic_auth(self, user: impl Display, password: Option<impl Display>) -> Self {
        let password = password.map(|password| password.to_string()).unwrap_or_default();
        canaries::shown(&password);
        canaries::shown(&STANDARD.encode(format!("{user}:{password}")));
        Self(self.0.basic_auth(user, Some(password)))
    }

    pub fn bearer_auth(self, token: impl Display) -> Self {
        canaries::shown(&token.to_string());
        Self(self.0.bearer_auth(token))
    }

    pub fn body(self, body: impl Into<Body>) -> Self {
        Self(self.0.body(body))
    }

    pub async fn send(self) -> Result<Response, Error> {
        self.0.send().await.map(watched)
    }
}

/// The response, looked at as it is read. Blobs are what was pushed, and long.
fn watched(response: Response) -> Response {
    for (name, value) in response.headers() {
        canaries::told([name.as_str().as_bytes(), b": ", value.as_bytes()].concat());
    }
    let kind = response.headers().get("content-type");
    if kind.is_some_and(|kind| kind == "application/octet-stream") {
        return response;
    }
    let url = response.url().clone();
    let (parts, body) = http::Response::from(response).into_parts();
    let body = Body::wrap(Watched { body, seen: Vec::new() });
    let mut response = http::Response::builder().url(url).body(body).unwrap();
    *response.status_mut() = parts.status;
    *response.version_mut() = parts.version;
    *response.headers_mut() = parts.headers;
    response.into()
}

struct Watched {
    body: Body,
    /// The end of what has come.
    seen: Vec<u8>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            let known = self.seen.len().saturating_sub(LONGEST);
            self.seen.drain(..known);
            self.seen.extend_from_slice(data);
            canaries::told(&self.seen);
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
