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
        mounts::{Mount, Mounting},
        route::Route,
    },
    oci::{digest::Digest, reference::Reference, tag::Tag},
    registry::deleting::Deleted,
};

const MAY_NOT_PULL: &str = "no blob is mounted from where one may not pull";

/// A request that may be told.
pub struct AuditEntry {
    log: Arc<AuditLog>,
    record: Record,
    /// Whether somebody said who they are.
    shown: bool,
    permitted: bool,
    told: bool,
    mounting: Mounting,
}

impl AuditEntry {
    /// What is known when the request has come. Of what it shows to log in, nothing.
    pub fn begin(log: &Arc<AuditLog>, asked: &Asked, route: Option<&Route>, request_id: &str) -> Self {
        let (parts, query) = (&asked.parts, &asked.query);
        let mut given = parts.headers.get_all(AUTHORIZATION).iter();
        let by_form = matches!((route, &parts.method), (Some(Route::Token), &Method::POST));
        let shown = by_form || given.any(|one| !Shown::is_nothing(one.as_bytes()));
        let sets = parts.method == Method::PUT && matches!(route, Some(Route::Manifest(..)));
        let tags = query.all("tag").filter_map(|tag| tag.parse::<Tag>().ok()).filter(|_| sets);
        let sends = matches!(route, Some(Route::Uploads(_) | Route::Upload(..)));
        let mounts = query.get("mount").filter(|_| matches!(route, Some(Route::Uploads(_))));
        let named = query.get("digest").filter(|_| sends).or(mounts);
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
            tags: tag(route).into_iter().chain(tags.map(|tag| tag.to_string())).collect(),
            from: None,
            decision: Decision::Unknown,
            status: 0,
            reason: None,
        };
        let (log, mounting) = (Arc::clone(log), asked.mounting.clone());
        Self { log, record, shown, permitted: false, told: false, mounting }
    }

    /// It is known who asks.
    pub fn by(&mut self, who: &Identity) {
        self.record.user = who.name();
    }

    /// They may do what they ask for.
    pub fn permit(&mut self) {
        self.permitted = true;
    }

    /// It was answered.
    pub fn answered(mut self, who: &Identity, told: Told, response: &Response) {
        self.told = true;
        let (status, digest) = (response.status(), headers::text(response.headers(), CONTENT_DIGEST));
        self.record.user = told.account.unwrap_or_else(|| who.name());
        self.record.status = status.as_u16();
        self.mounted();
        self.record.decision = self.judged(decision(status));
        if !self.wanted(status) {
            return;
        }
        let record = &mut self.record;
        record.reason = told.reason;
        record.digest = digest.map(str::to_owned).or(record.digest.take());
        if let Some(Deleted { digest, tags }) = response.extensions().get() {
            record.digest = digest.as_ref().map(ToString::to_string).or(record.digest.take());
            record.tags = tags.iter().map(ToString::to_string).collect();
        }
        self.write(&self.record);
    }

    /// What nobody was found to be allowed to do has not failed: it was never begun.
    fn judged(&self, decision: Decision) -> Decision {
        let begun = self.permitted || !self.record.action.writes();
        if begun || decision == Decision::Allowed { decision } else { Decision::Denied }
    }

    /// A mount that was refused is told on a line of its own: what the request led to may be allowed.
    fn mounted(&mut self) {
        let Some(Mount { from, digest, allowed }) = self.mounting.get() else { return };
        let from = Some(from.to_string());
        if allowed {
            self.record.from = from;
            return;
        }
        let (digest, reason) = (Some(digest.to_string()), Some(MAY_NOT_PULL.to_owned()));
        self.write(&Record { from, digest, decision: Decision::Denied, reason, ..self.record.clone() });
    }

    fn write(&self, record: &Record) {
        self.log.write(&Record { time: Timestamp::now().to_string(), ..record.clone() });
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
}

impl Drop for AuditEntry {
    /// A client that leaves early may have reached what it wanted.
    fn drop(&mut self) {
        if !self.told && self.record.action.writes() {
            self.mounted();
            self.record.decision = self.judged(Decision::Unknown);
            self.write(&self.record);
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
