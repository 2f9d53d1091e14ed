//! Everybody who may come in: accounts with a password, users that others vouch for, and whoever a token server lets.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;

use crate::auth::{
    access::{Identity, Login},
    accounts::{Accounts, Refusal},
    credentials::Shown,
    tokens::Tokens,
};

/// Who may come in.
pub struct Logins {
    /// How one logs in whom no other issuer vouches for.
    pub way: Way,
    /// Whose tokens are taken.
    pub tokens: Arc<ArcSwap<Tokens>>,
}

/// What clients are asked for.
pub enum Way {
    /// A password of these accounts.
    Password(Arc<Accounts>),
    /// A token of a token server, which is one of the issuers.
    Token {
        /// Where it is.
        realm: String,
        /// What it calls this registry.
        service: String,
    },
}

impl Logins {
    /// Who has shown this, which came from this address. A token that is wrong counts as no guess: nobody guesses
    /// signatures, and its sender cannot lock anybody out.
    pub async fn verify(&self, shown: &Shown, from: IpAddr) -> Result<Login, Refusal> {
        if let Some(token) = shown.token()
            && let Some(judged) = self.tokens.load_full().identify(token, now()).await
        {
            return judged.map_err(Refusal::Token);
        }
        match (&self.way, shown.password()) {
            (Way::Password(accounts), Some(password)) => Ok(accounts.verify(password, from).await?.into()),
            _ => Err(Refusal::Wrong),
        }
    }

    /// Whether this is an account that may look and nothing else, whatever rules say.
    pub fn pulls_only(&self, who: &Identity) -> bool {
        matches!(&self.way, Way::Password(accounts) if accounts.pulls_only(who))
    }
}

/// Seconds of Unix time.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |passed| passed.as_secs_f64())
}
