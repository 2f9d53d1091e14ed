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
    pub permitted: bool,
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
}
