//! One line about a request, when everything about it is known.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use http::{Method, request::Parts};
use serde_json::{Value, json};

use crate::{
    http::{outbound::Sent, request_id, route::Route},
    metrics,
};

/// What stands for the status of an answer that nobody waited for.
const LEFT: u16 = 499;

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
    client: IpAddr,
    wanted: bool,
    told: bool,
}

impl AccessLine {
    /// What is known when the request has come, from which connection and which client, and whether the line is wanted.
    pub fn begin(
        parts: &Parts,
        route: Option<&Route>,
        (peer, client): (SocketAddr, IpAddr),
        wanted: bool,
    ) -> Self {
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
            client,
            wanted,
            told: false,
        }
    }

    /// What was asked for, as an error says it; of the URI nothing but the path. What `HEAD` leaves out is the body of
    /// `GET`, and as long.
    pub fn asked(&self) -> Value {
        let method = if self.method == Method::HEAD { &Method::GET } else { &self.method };
        let mut asked = json!({ "method": method.as_str() });
        let path = self.repository.is_none().then_some(&self.path);
        let known = [
            ("repository", self.repository.as_ref()),
            ("reference", self.reference.as_ref()),
            ("path", path),
        ];
        for (key, value) in known {
            if let Some(value) = value {
                asked[key] = value.as_str().into();
            }
        }
        asked
    }

    /// The body has gone out, or has been given up. Counts, and writes the line if it is wanted.
    pub fn end(mut self, sent: Sent) {
        self.tell(sent);
    }

    fn tell(&mut self, sent: Sent) {
        self.told = true;
        let took = self.started.elapsed();
        metrics::request(self.route, self.method.as_str(), self.status, took);
        metrics::bytes(self.received, sent.bytes);
        if !self.wanted {
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
            client = %self.client,
            "request"
        );
    }
}

impl Drop for AccessLine {
    /// A client that leaves before there is an answer was here, too.
    fn drop(&mut self) {
        if !self.told {
            self.status = LEFT;
            self.tell(Sent { bytes: 0, whole: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry OB3 OB4
    #[test]
    fn a_client_that_leaves_before_the_answer_is_counted() {
        let all = || metrics::install().render();
        let counted = r#"registry_http_requests_total{route="none",method="DELETE",status="499"} 1"#;
        assert!(!all().contains(counted));
        let (parts, ()) = http::Request::delete("/left").body(()).unwrap().into_parts();
        drop(AccessLine::begin(&parts, None, (([127, 0, 0, 1], 1).into(), [127, 0, 0, 1].into()), true));
        assert!(all().contains(counted), "{}", all());
    }
}
