//! What a request tells the audit log: writes, refusals, logins that failed, and reads if they are wanted.

use std::sync::Arc;

use http::{Method, StatusCode, header::AUTHORIZATION};
use jiff::Timestamp;

use crate::{
    audit::{AuditLog, Decision, Deed, Record},
    auth::{
        access::{Action, Identity},
        credentials::Shown,
    },
    http::{
        challenge,
        door::Asked,
        error::Told,
        headers::{self, CONTENT_DIGEST, Response},
        route::Route,
    },
    oci::{digest::Digest, reference::Reference, repository_name::RepositoryName},
};

/// A request that may be told.
pub struct AuditEntry {
    log: Arc<AuditLog>,
    record: Record,
    /// Whether somebody said who they are.
    shown: bool,
    told: bool,
}

impl AuditEntry {
    /// What is known when the request has come. Of what it shows to log in, nothing.
    pub fn begin(log: &Arc<AuditLog>, asked: &Asked, route: Option<&Route>, request_id: &str) -> Self {
        let (parts, query) = (&asked.parts, &asked.query);
        let mut given = parts.headers.get_all(AUTHORIZATION).iter();
        let by_form = matches!((route, &parts.method), (Some(Route::Token), &Method::POST));
        let shown = by_form || given.any(|one| !Shown::is_nothing(one.as_bytes()));
        let tags = query.all("tag").filter(|_| matches!(route, Some(Route::Manifest(..))));
        let from = query.get("from").and_then(|from| from.parse::<RepositoryName>().ok());
        let named = query.get("digest").or(query.get("mount"));
        let asked_for = || named.and_then(|digest| digest.parse().ok());
        let record = Record {
            time: String::new(),
            request_id: request_id.to_owned(),
            user: Identity::Anonymous.name(),
            address: asked.client,
            action: deed(route, &parts.method),
            method: parts.method.to_string(),
            repository: route.and_then(Route::repository).map(ToString::to_string),
            digest: digest(route).or_else(asked_for).map(|digest| digest.to_string()),
            tags: tag(route).into_iter().chain(tags.map(str::to_owned)).collect(),
            from: from.filter(|_| query.get("mount").is_some()).map(|from| from.to_string()),
            decision: Decision::Unknown,
            status: 0,
            reason: None,
        };
        Self { log: Arc::clone(log), record, shown, told: false }
    }

    /// It is known who asks.
    pub fn by(&mut self, who: &Identity) {
        self.record.user = who.name();
    }

    /// It was answered.
    pub fn answered(mut self, who: &Identity, told: Told, response: &Response) {
        self.told = true;
        let (status, digest) = (response.status(), headers::text(response.headers(), CONTENT_DIGEST));
        self.record.decision = decision(status);
        if !self.wanted(status) {
            return;
        }
        let record = &mut self.record;
        record.user = told.account.unwrap_or_else(|| who.name());
        (record.status, record.reason) = (status.as_u16(), told.reason);
        record.digest = digest.map(str::to_owned).or(record.digest.take());
        self.tell();
    }

    fn wanted(&self, status: StatusCode) -> bool {
        let deed = self.record.action;
        match self.record.decision {
            // A session that begins or goes on has not written anything yet.
            Decision::Allowed if deed == Deed::Push => status == StatusCode::CREATED,
            Decision::Allowed if deed == Deed::Delete => true,
            Decision::Allowed => self.log.reads && deed != Deed::Login,
            // Clients ask without credentials first, to be told which ones.
            Decision::Denied => deed.writes() || self.shown || status == StatusCode::FORBIDDEN,
            Decision::Failed => deed.writes() || (self.log.reads && deed != Deed::Login),
            Decision::Unknown => deed.writes(),
        }
    }

    fn tell(&mut self) {
        self.record.time = Timestamp::now().to_string();
        self.log.write(&self.record);
    }
}

impl Drop for AuditEntry {
    /// A client that leaves early may have reached what it wanted.
    fn drop(&mut self) {
        if !self.told && self.record.action.writes() {
            self.tell();
        }
    }
}

fn deed(route: Option<&Route>, method: &Method) -> Deed {
    match route.and_then(|route| challenge::wanted(route, method)) {
        None => Deed::Login,
        Some(Action::Pull) => Deed::Pull,
        Some(Action::List) => Deed::List,
        Some(Action::Push) => Deed::Push,
        Some(Action::Delete) => Deed::Delete,
    }
}

fn decision(status: StatusCode) -> Decision {
    match status.as_u16() {
        ..=399 => Decision::Allowed,
        401 | 403 | 405 | 409 | 429 => Decision::Denied,
        _ => Decision::Failed,
    }
}

fn digest(route: Option<&Route>) -> Option<Digest> {
    match route? {
        Route::Manifest(_, Reference::Digest(digest))
        | Route::Referrers(_, digest)
        | Route::Blob(_, digest) => Some(digest.clone()),
        _ => None,
    }
}

fn tag(route: Option<&Route>) -> Option<String> {
    match route? {
        Route::Manifest(_, Reference::Tag(tag)) => Some(tag.to_string()),
        _ => None,
    }
}
