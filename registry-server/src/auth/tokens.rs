//! Tokens of others in place of a password: which issuers are believed, and what they have said already.

use std::sync::Arc;

use moka::future::Cache;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::auth::{
    access::Login,
    error::TokenFault,
    issuer::{Issuer, Naming},
    jwt,
    key_set::KeySet,
    signer::Signer,
};

/// Bytes of tokens that are remembered: what is kept of one is never much longer than it was.
const REMEMBERED_AT_MOST: u64 = 8 << 20;

/// An issuer and its keys, as its files have them. Without keys it is known, and believed in nothing.
pub type Trusted = (Issuer, Vec<Arc<KeySet>>);

/// The issuers of this moment. Others have a memory of their own: what was right before is judged again.
pub struct Tokens {
    trusted: Vec<Trusted>,
    /// Random and kept nowhere else: a key of the memory is worth nothing outside this process.
    generation: Uuid,
    verified: Cache<[u8; 32], Verified>,
}

/// Somebody, and how long the token was.
#[derive(Clone)]
struct Verified {
    login: Arc<Login>,
    length: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Tokens {
    /// These issuers. Each has another name for itself.
    pub fn new(trusted: Vec<Trusted>) -> Self {
        let weight = |_: &[u8; 32], one: &Verified| u32::try_from(one.length).unwrap_or(u32::MAX);
        let verified = Cache::builder().max_capacity(REMEMBERED_AT_MOST).weigher(weight).build();
        Self { trusted, generation: Uuid::new_v4(), verified }
    }

    /// Whom the token names at this moment, in seconds of Unix time; nothing, if it is of no issuer that is known here.
    pub async fn identify(&self, token: &str, now: f64) -> Option<Result<Login, TokenFault>> {
        let claimed = jwt::issuer(token)?;
        let (issuer, keys) = self.trusted.iter().find(|(issuer, _)| issuer.issuer == claimed)?;
        let key = self.key(token);
        if let Some(known) =
            self.verified.get(&key).await.filter(|known| known.login.until.is_some_and(|until| now < until))
        {
            return Some(Ok((*known.login).clone()));
        }
        match issuer.verify(token, keys, now) {
            Ok(login) => {
                let known = Verified { login: Arc::new(login.clone()), length: token.len() };
                self.verified.insert(key, known).await;
                Some(Ok(login))
            }
            Err(fault) => {
                tracing::debug!(issuer = issuer.name(), reason = %fault, "a token is refused");
                Some(Err(fault))
            }
        }
    }

    /// The keys that verify our own tokens; the first one signs them.
    fn own(&self) -> impl Iterator<Item = &Signer> {
        let own = self.trusted.iter().filter(|(issuer, _)| issuer.naming == Naming::Ourselves);
        own.flat_map(|(_, keys)| keys).filter_map(|set| set.signer())
    }

    /// What our own tokens are signed with.
    pub fn signer(&self) -> Option<&Signer> {
        self.own().next()
    }

    /// The public parts of the keys that verify our own tokens, each once.
    pub fn own_keys(&self) -> Vec<&Value> {
        let mut keys = Vec::new();
        for key in self.own().map(Signer::public) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    fn key(&self, token: &str) -> [u8; 32] {
        let hash = Sha256::new().chain_update(self.generation.as_bytes()).chain_update(token);
        hash.finalize().into()
    }
}
