//! One line about a request, when everything about it is known.

use std::{net::SocketAddr, time::Instant};

use http::{Method, request::Parts};

use crate::{
    http::{outbound::Sent, request_id, route::Route},
    metrics,
};

/// What is told about a request.
#[derive(Debug)]
pub struct AccessLine {
    /// Its name.
    pub request_id: String,
    /// Who asked.
    pub user: String,
    /// The answer.
    pub status: u16,
    /// Bytes of the request's body.
    pub received: u64,
    /// Whether a cache knew everything that it was asked, if it was asked.
    pub cache_hit: Option<bool>,
    started: Instant,
    method: Method,
    path: String,
    route: &'static str,
    repository: Option<String>,
    reference: Option<String>,
    peer: SocketAddr,
}

impl AccessLine {
    /// What is known when the request has come.
    pub fn begin(parts: &Parts, route: Option<&Route>, peer: SocketAddr) -> Self {
        let (repository, reference) = route.map_or((None, None), Route::content);
        Self {
            request_id: request_id::of(&parts.headers),
            user: String::new(),
            status: 0,
            received: 0,
            cache_hit: None,
            started: Instant::now(),
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            route: route.map_or("none", Route::label),
            repository,
            reference,
            peer,
        }
    }

    /// The body has gone out, or has been given up. Counts, and writes the line if it is wanted.
    pub fn end(self, sent: Sent, written: bool) {
        let took = self.started.elapsed();
        metrics::request(self.route, self.method.as_str(), self.status, took);
        metrics::bytes(self.received, sent.bytes);
        if !written {
            return;
        }
        tracing::info!(
            request_id = self.request_id,
            user = self.user,
            method = %self.method,
            path = self.path,
            route = self.route,
            repository = self.repository,
            reference = self.reference,
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
