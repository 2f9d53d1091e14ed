//! One request from its first header to its log line.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use arc_swap::ArcSwap;
use futures::FutureExt;
use http::{
    HeaderName, HeaderValue, Method, Request,
    header::{EXPECT, X_CONTENT_TYPE_OPTIONS},
    request::Parts,
};
use hyper::body::Incoming;
use serde_json::json;
use tracing::Instrument;

use crate::{
    audit::AuditLog,
    auth::{logins::Logins, policy::Rights},
    http::{
        access_line::AccessLine,
        audit_entry::AuditEntry,
        authorize, blobs, body, caching,
        challenge::Challenge,
        error::ApiError,
        first_version, forwarded,
        headers::{self, Response},
        inbound::Inbound,
        lists, manifests,
        mounts::Mounting,
        outbound,
        patience::Patience,
        query::Query,
        request_id,
        route::{Route, RouteError},
        token, uploads,
        visitor::Visitor,
        warnings, well_formed,
    },
    metrics,
    registry::service::Registry,
    settings::Settings,
};

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// What answers requests.
pub struct Door {
    /// The domain.
    pub registry: Registry,
    /// Who may come in; none: everybody.
    pub logins: Option<Arc<Logins>>,
    /// What may change meanwhile.
    pub settings: Arc<ArcSwap<Settings>>,
    /// Where it is written who did what; none: nowhere.
    pub audit: Option<Arc<AuditLog>>,
}

/// A request past the door: everything that handlers look at.
pub struct Asked {
    /// Method and headers.
    pub parts: Parts,
    /// The query.
    pub query: Query,
    /// Settings of this moment.
    pub settings: Arc<Settings>,
    /// The other end of the connection.
    pub peer: IpAddr,
    /// Where it comes from: the other end, or whom known proxies there have seen.
    pub client: IpAddr,
    /// What comes of a mount that it asks for.
    pub mounting: Mounting,
}

impl Asked {
    /// Whether headers alone are wanted.
    pub fn head(&self) -> bool {
        self.parts.method == Method::HEAD
    }
}

impl Door {
    /// Answers, whatever happens.
    pub async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response, Infallible> {
        let (mut parts, body) = request.into_parts();
        let running = parts.extensions.remove();
        let patience = parts.extensions.remove::<Patience>().unwrap_or_default();
        let route = Route::parse(parts.uri.path());
        let (query, settings) = (Query::parse(parts.uri.query()), self.settings.load_full());
        let client = forwarded::client(peer.ip(), &parts.headers, &settings.proxies);
        let from = (peer, client);
        let mut line = AccessLine::begin(&parts, route.as_ref().ok(), from, settings.access_log);
        let expects = parts.headers.contains_key(EXPECT);
        let mounting = Mounting::default();
        let asked = Asked { parts, query, settings, peer: peer.ip(), client, mounting };
        let mut body = Inbound::new(body, running, patience);
        let response = self.respond(route, &asked, &mut body, &mut line).await;
        let response = if asked.head() { headers::without_body(response) } else { response };
        (line.status, line.received) = (response.status().as_u16(), body.received());
        if !expects && !body.fell_silent() {
            body::drain(body);
        }
        let end = move |sent| line.end(sent);
        Ok(response.map(|body| outbound::counted(body, Box::new(end))))
    }

    /// A response with the headers that every one has, also when the handler fails or panics.
    async fn respond(
        &self,
        route: Result<Route, RouteError>,
        asked: &Asked,
        body: &mut Inbound,
        line: &mut AccessLine,
    ) -> Response {
        let warnings = warnings::about(route.as_ref().ok(), &asked.settings.warnings);
        let audit = self.audit.as_ref();
        let audit = audit.map(|log| AuditEntry::begin(log, asked, route.as_ref().ok(), &line.request_id));
        let mut visitor = Visitor::unknown(audit);
        let span = tracing::error_span!("request", id = line.request_id);
        let answer = AssertUnwindSafe(self.answer(route, asked, body, &mut visitor)).catch_unwind();
        let (answer, cache_hit) = metrics::watching_cache(answer.instrument(span)).await;
        (line.user, line.cache_hit) = (visitor.login.who.name(), cache_hit);
        let answer = answer.unwrap_or_else(|_| {
            tracing::error!(request_id = line.request_id, "a handler panicked");
            Err(ApiError::internal())
        });
        let told = answer.as_ref().err().map(ApiError::told).unwrap_or_default();
        let refused = |error: ApiError| error.into_response(&line.request_id, || line.asked());
        let mut response = answer.unwrap_or_else(refused);
        let permitted = visitor.permitted();
        if let Some(audit) = visitor.audit {
            audit.answered(&visitor.login.who, told, &response);
        }
        if permitted {
            warnings::add(&mut response, warnings);
        }
        let headers = response.headers_mut();
        headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(id) = line.request_id.parse() {
            headers.insert(request_id::REQUEST_ID, id);
        }
        response
    }

    async fn answer(
        &self,
        route: Result<Route, RouteError>,
        asked: &Asked,
        body: &mut Inbound,
        visitor: &mut Visitor,
    ) -> Result<Response, ApiError> {
        well_formed::check(&asked.parts)?;
        let method = &asked.parts.method;
        let route = token::where_given(route, self.logins.as_deref());
        let (known, policy) = (route.as_ref().ok(), &asked.settings.policy);
        let challenge = self.logins.as_ref().map(|logins| Challenge::new(logins, known, asked));
        let challenge = challenge.as_ref();
        if let (Some(challenge), Some(route)) = (challenge, known.filter(|route| token::is_about(route))) {
            return token::answer(challenge, route, asked, body, &mut visitor.login).await;
        }
        if !first_version::is_asked(&route) {
            visitor.is(authorize::identify(challenge, asked).await?);
            authorize::admit(challenge, visitor.login.rights(policy), known.map(|route| (route, method)))?;
        }
        let route = route?;
        authorize::permit(challenge, visitor.login.rights(policy), (&route, method))?;
        visitor.permit();
        let rights = visitor.login.rights(policy);
        authorize::possible(&asked.settings, (&route, method))?;
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if route.is_about_content() && !(reads && self.registry.trusted()) {
            self.registry.writable().await?;
        }
        let (lists, kept) = (route.lists(), caching::of(&route, method, challenge.is_some()));
        let mut done = self.dispatch(route, asked, body, rights).await;
        if let Ok(response) = &mut done {
            caching::tell(response, kept);
        }
        // What is not found in another store than the expected one is not lost, and a list lacks what is elsewhere.
        if done.as_ref().map_or_else(ApiError::tells_of_absence, |_| lists) {
            self.registry.confirm().await?;
        }
        done
    }

    async fn dispatch(
        &self,
        route: Route,
        asked: &Asked,
        body: &mut Inbound,
        rights: Rights<'_>,
    ) -> Result<Response, ApiError> {
        let quota = route.repository().and_then(|name| asked.settings.quotas.of(name));
        let registry = &self.registry.within(quota);
        match (route, asked.parts.method.as_str()) {
            (Route::FirstPing, _) => first_version::ping(registry).await,
            // They are answered before anybody has to log in.
            (Route::Token | Route::TokenKeys, _) => Err(RouteError::NotFound.into()),
            (Route::Search, _) => first_version::search(registry, asked, rights).await,
            (Route::Root, _) => Ok(headers::banner()),
            (Route::Base, _) => Ok(headers::json(&json!({}), "application/json")),
            (Route::Catalog, _) => lists::catalog(registry, asked, rights).await,
            (Route::Tags(name), _) => lists::tags(registry, &name, asked).await,
            (Route::Referrers(name, digest), _) => lists::referrers(registry, &name, &digest, asked).await,
            (Route::Manifest(name, reference), "PUT") => {
                manifests::put(registry, &name, reference, asked, body).await
            }
            (Route::Manifest(name, reference), "DELETE") => {
                manifests::delete(registry, &name, &reference, asked).await
            }
            (Route::Manifest(name, reference), _) => manifests::get(registry, &name, &reference, asked).await,
            (Route::Blob(name, digest), "DELETE") => blobs::delete(registry, &name, &digest, asked).await,
            (Route::Blob(name, digest), _) => blobs::get(registry, &name, &digest, asked).await,
            (Route::Uploads(name), _) => uploads::begin(registry, &name, asked, body, rights).await,
            (Route::Upload(name, id), method) => {
                let upload = uploads::Upload { registry, name: &name, id };
                match method {
                    "PATCH" => upload.append(asked, body).await,
                    "PUT" => upload.finish(asked, body).await,
                    "DELETE" => upload.cancel().await,
                    _ => upload.status().await,
                }
            }
        }
    }
}
