//! Whoever asks, as far as it is known by now.

use crate::{
    auth::access::{Identity, Login},
    http::audit_entry::AuditEntry,
};

/// Whoever asks.
pub struct Visitor {
    /// What they have logged in as. Until that is known: everybody.
    pub login: Login,
    /// Whether they may do what they ask for. Until that is known: no.
    permitted: bool,
    /// What is told about them.
    pub audit: Option<AuditEntry>,
}

impl Visitor {
    /// Somebody who has come.
    pub fn unknown(audit: Option<AuditEntry>) -> Self {
        Self { login: Identity::Everybody.into(), permitted: false, audit }
    }

    /// It is known who it is. They may leave before the answer, and are told all the same.
    pub fn is(&mut self, login: Login) {
        if let Some(audit) = &mut self.audit {
            audit.by(&login.who);
        }
        self.login = login;
    }

    /// It is known that they may do what they ask for.
    pub fn permit(&mut self) {
        if let Some(audit) = &mut self.audit {
            audit.permit();
        }
        self.permitted = true;
    }

    /// Whether that is known.
    pub fn permitted(&self) -> bool {
        self.permitted
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use registry_config::schema::Config;

    use super::*;
    use crate::{
        audit::AuditLog,
        http::{door::Asked, mounts::Mounting, query::Query, route::Route},
        settings::Settings,
    };

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The line of somebody who leaves before the answer.
    fn left(come: impl FnOnce(&mut Visitor)) -> serde_json::Value {
        let (kept, address) = (Kept::default(), [192, 0, 2, 1].into());
        let (parts, ()) = http::Request::put("/v2/a/manifests/v1").body(()).unwrap().into_parts();
        let route = Route::parse(parts.uri.path());
        let settings = Arc::new(Settings::from_config(&Config::default()));
        let (query, mounting) = (Query::parse(None), Mounting::default());
        let asked = Asked { parts, query, settings, peer: address, client: address, mounting };
        let log = Arc::new(AuditLog::new(Box::new(kept.clone()), false));
        let entry = AuditEntry::begin(&log, &asked, route.as_ref().ok(), "r");
        let mut visitor = Visitor::unknown(Some(entry));
        come(&mut visitor);
        drop(visitor);
        serde_json::from_slice(&kept.0.lock().unwrap()).unwrap()
    }

    // registry OB8
    #[test]
    fn who_leaves_before_the_answer_is_told_by_name() {
        let line = left(|visitor| {
            visitor.is(Identity::User("dev".into()).into());
            visitor.permit();
        });
        assert_eq!((&line["user"], &line["decision"]), (&"dev".into(), &"unknown".into()));
    }

    // registry OB8
    #[test]
    fn who_leaves_before_they_were_let_in_has_done_nothing() {
        let stranger = left(|_| ());
        assert_eq!((&stranger["user"], &stranger["decision"]), (&"-".into(), &"denied".into()));
        let known = left(|visitor| visitor.is(Identity::User("dev".into()).into()));
        assert_eq!((&known["user"], &known["decision"]), (&"dev".into(), &"denied".into()));
    }
}
