//! Everybody who may come in: accounts with a password, and users that others vouch for.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;

use crate::auth::{
    access::Identity,
    accounts::{Accounts, Refusal},
    credentials::Shown,
    tokens::Tokens,
};

/// Who may come in.
pub struct Logins {
    /// The accounts of the password file.
    pub accounts: Arc<Accounts>,
    /// Whose tokens are taken in place of a password.
    pub tokens: Arc<ArcSwap<Tokens>>,
}

impl Logins {
    /// The identity behind what was shown, which came from this address. A token that is wrong counts as no guess: nobody
    /// guesses signatures, and its sender cannot lock anybody out.
    pub async fn verify(&self, shown: &Shown, from: IpAddr) -> Result<Identity, Refusal> {
        if let Some(token) = shown.token()
            && let Some(judged) = self.tokens.load_full().identify(token, now()).await
        {
            return judged.map_err(Refusal::Token);
        }
        match shown.password() {
            Some(credentials) => self.accounts.verify(credentials, from).await,
            None => Err(Refusal::Wrong),
        }
    }
}

/// Seconds of Unix time.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |passed| passed.as_secs_f64())
}
