//! A client that looks for canaries in whatever it is told, and plants those that it shows.

use std::fmt::Display;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::stream;
use http::{HeaderName, HeaderValue};
use http_body_util::BodyExt;
use reqwest::{Body, Error, IntoUrl, Method, Request, Response, ResponseBuilderExt, Url};
use serde_json::Value;

use crate::canaries;

/// Longer canaries may be cut in two where a long body is looked at in parts.
const LONGEST: usize = 4096;
/// Where tokens are issued, and the fields of a form there that are secrets.
const TOKEN: &str = "/token";
const SHOWN: [&str; 2] = ["password", "refresh_token"];

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
        let (client, request) = self.0.build_split();
        let request = request?;
        show_form(&request);
        Ok(looked_at(client.execute(request).await?).await)
    }
}

/// What somebody who asks for a token shows in a form.
fn show_form(request: &Request) {
    let form = request.body().and_then(Body::as_bytes).and_then(|form| std::str::from_utf8(form).ok());
    let Some(form) = form.filter(|_| request.url().path() == TOKEN) else { return };
    let form = Url::parse(&format!("http://form/?{form}")).unwrap();
    for (_, secret) in form.query_pairs().filter(|(name, _)| SHOWN.contains(&name.as_ref())) {
        canaries::shown(&secret);
    }
}

/// The response, looked at to its end, whether the test reads it or not. Blobs are what was pushed, and long.
async fn looked_at(response: Response) -> Response {
    for (name, value) in response.headers() {
        canaries::told([name.as_str().as_bytes(), b": ", value.as_bytes()].concat());
    }
    let kind = response.headers().get("content-type");
    if kind.is_some_and(|kind| kind == "application/octet-stream") {
        return response;
    }
    let url = response.url().clone();
    let (parts, body) = http::Response::from(response).into_parts();
    let (bytes, broken) = whole(body).await;
    look(url.path(), &bytes);
    // A test that reads it sees as well where it broke off.
    let body = match broken {
        Some(error) => Body::wrap_stream(stream::iter([Ok(Bytes::from(bytes)), Err(error)])),
        None => bytes.into(),
    };
    let mut response = http::Response::builder().url(url).body(body).unwrap();
    *response.status_mut() = parts.status;
    *response.version_mut() = parts.version;
    *response.headers_mut() = parts.headers;
    response.into()
}

/// What came, and why no more did.
async fn whole(mut body: Body) -> (Vec<u8>, Option<Error>) {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Err(error) => return (bytes, Some(error)),
        }
    }
    (bytes, None)
}

fn look(path: &str, bytes: &[u8]) {
    let issued = if path == TOKEN { issued(bytes) } else { None };
    for at in (0..bytes.len()).step_by(canaries::LONGEST_TEXT - LONGEST).filter(|_| issued.is_none()) {
        canaries::told(&bytes[at..]);
    }
    issued.into_iter().for_each(canaries::told);
}

/// The rest of an answer that issues tokens, which are secrets from there on.
fn issued(bytes: &[u8]) -> Option<String> {
    let mut answer: Value = serde_json::from_slice(bytes).ok()?;
    for name in ["token", "access_token", "refresh_token"] {
        if let Some(Value::String(token)) = answer.as_object_mut()?.remove(name) {
            canaries::shown(&token);
        }
    }
    Some(answer.to_string())
}
