//! One line about a request, when everything about it is known.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use http::Method;

use crate::{
    http::{outbound::Sent, route::Route},
    metrics,
};

/// What is known before the body has been sent.
#[derive(Debug)]
pub struct AccessLine {
    /// Whether it is written, or counted only.
    pub written: bool,
    /// When the request began.
    pub started: Instant,
    /// Its name.
    pub request_id: String,
    /// Who asked.
    pub user: String,
    /// How.
    pub method: Method,
    /// For what, as it came.
    pub path: String,
    /// The kind of path.
    pub route: &'static str,
    /// The repository and what of it.
    pub content: (String, String),
    /// Where from.
    pub peer: SocketAddr,
    /// The answer.
    pub status: u16,
    /// Bytes of the request's body.
    pub received: u64,
    /// Whether a cache knew everything that it was asked, if it was asked.
    pub cache_hit: Option<bool>,
}

/// Repository and reference of a path, as far as it has them.
pub fn content(route: Option<&Route>) -> (String, String) {
    let route = route.map(Route::content);
    route.map_or_else(Default::default, |(name, part)| (name.unwrap_or_default(), part.unwrap_or_default()))
}

impl AccessLine {
    /// The body has gone out, or has been given up.
    pub fn end(self, sent: Sent) {
        let took: Duration = self.started.elapsed();
        metrics::request(self.route, self.method.as_str(), self.status, took);
        metrics::bytes(self.received, sent.bytes);
        if !self.written {
            return;
        }
        let (repository, reference) = (self.content.0.as_str(), self.content.1.as_str());
        tracing::info!(
            request_id = self.request_id,
            user = self.user,
            method = %self.method,
            path = self.path,
            route = self.route,
            repository,
            reference,
            status = self.status,
            bytes_in = self.received,
            bytes_out = sent.bytes,
            complete = sent.whole,
            duration_ms = took.as_secs_f64() * 1000.0,
            cache_hit = self.cache_hit,
            peer = %self.peer,
            "request"
        );
    }
}
