//! Who asks, and for what.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::auth::{
    grants::Grants,
    policy::{Policy, Rights},
};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Identity {
    /// The registry has no accounts: everybody.
    Everybody,
    /// The registry has accounts, and this is none of them.
    Anonymous,
    /// An account.
    User(String),
    /// A service account of the cluster that is believed, as `NAMESPACE/NAME`.
    ServiceAccount(String),
    /// Whoever a client's certificate names.
    Certificate(String),
    /// A user that an issuer vouches for.
    Oidc {
        /// What this registry calls the issuer.
        issuer: String,
        /// Its user.
        user: String,
        /// Groups that it says the user is in, each with `oidc:ISSUER:` before it.
        groups: Vec<String>,
    },
}

impl Identity {
    /// How logs call it. No account has a colon in its name.
    pub fn name(&self) -> String {
        match self {
            Self::Everybody | Self::Anonymous => "-".to_owned(),
            Self::User(name) => name.clone(),
            Self::ServiceAccount(name) => format!("serviceaccount:{name}"),
            Self::Certificate(name) => format!("cert:{name}"),
            Self::Oidc { issuer, user, .. } => format!("oidc:{issuer}:{user}"),
        }
    }
}

/// Who asks, and what the token allows that said so, if it says that.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// Who.
    pub who: Identity,
    /// What the token allows; nothing of that kind: what rules say.
    pub grants: Option<Arc<Grants>>,
    /// Until when a token says so, in seconds of Unix time.
    pub until: Option<f64>,
}

impl From<Identity> for Login {
    fn from(who: Identity) -> Self {
        Self { who, grants: None, until: None }
    }
}

impl Login {
    /// What it may do by the rules of this moment.
    pub fn rights<'a>(&'a self, policy: &'a Policy) -> Rights<'a> {
        Rights { policy, who: &self.who, grants: self.grants.as_deref() }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read manifests, blobs and referrers.
    Pull,
    /// Write them.
    Push,
    /// Delete them.
    Delete,
    /// See tags, and the repository in lists.
    List,
}

impl Action {
    /// What one is told who may not do it.
    pub const fn denied(self) -> &'static str {
        match self {
            Self::Pull => "this account may not pull from this repository",
            Self::Push => "this account may not push to this repository",
            Self::Delete => "this account may not delete in this repository",
            Self::List => "this account may not list this repository",
        }
    }

    /// Whether it leaves everything as it is.
    pub const fn reads(self) -> bool {
        matches!(self, Self::Pull | Self::List)
    }
}
