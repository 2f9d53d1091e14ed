//! The accounts of a password file: who knows the password.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use moka::future::Cache;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::auth::{
    access::Identity,
    credentials::Credentials,
    error::AuthError,
    htpasswd::{self, Hash},
};

/// How long a verified password is believed without hashing it again.
const REMEMBERED: Duration = Duration::from_secs(300);
const REMEMBERED_AT_MOST: u64 = 10_000;

struct Loaded {
    generation: Uuid,
    hashes: HashMap<String, Vec<Hash>>,
}

/// Accounts, the last good state of their file.
pub struct Accounts {
    /// What the challenge calls this registry.
    pub realm: String,
    /// Accounts that may look and nothing else.
    pub pull_only: Vec<String>,
    path: PathBuf,
    loaded: ArcSwap<Loaded>,
    verdicts: Cache<[u8; 32], ()>,
    hashing: Semaphore,
}

impl Accounts {
    /// The accounts in `text`, which came from `path`.
    pub fn new(path: PathBuf, text: &str, realm: String, pull_only: Vec<String>) -> Result<Self, AuthError> {
        let loaded = load(&path, text)?;
        let verdicts = Cache::builder().max_capacity(REMEMBERED_AT_MOST).time_to_live(REMEMBERED).build();
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self { realm, pull_only, path, loaded: loaded.into(), verdicts, hashing: Semaphore::new(threads) })
    }

    /// Takes over a new state of the file, or keeps the old one.
    pub fn reload(&self, text: &str) -> Result<(), AuthError> {
        self.loaded.store(load(&self.path, text)?);
        self.verdicts.invalidate_all();
        Ok(())
    }

    /// The identity behind the credentials; unknown users take as long as wrong passwords.
    pub async fn verify(&self, credentials: &Credentials) -> Option<Identity> {
        let loaded = self.loaded.load_full();
        let key = remembered_as(loaded.generation, credentials);
        let verdict = self.verdicts.try_get_with(key, self.hash(&loaded, credentials)).await;
        verdict.ok().map(|()| Identity::User(credentials.user.clone()))
    }

    async fn hash(&self, loaded: &Loaded, credentials: &Credentials) -> Result<(), ()> {
        let hashes = loaded.hashes.get(&credentials.user).cloned().unwrap_or_else(|| vec![Hash::dummy()]);
        let password = credentials.password.clone();
        let _permit = self.hashing.acquire().await.map_err(|_| ())?;
        let right = tokio::task::spawn_blocking(move || hashes.iter().any(|hash| hash.verify(&password)));
        right.await.ok().filter(|right| *right).map(|_| ()).ok_or(())
    }
}

/// A key that is worth nothing outside this process: the generation is random and kept nowhere else.
fn remembered_as(generation: Uuid, credentials: &Credentials) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(generation.as_bytes());
    hash.update((credentials.user.len() as u64).to_be_bytes());
    hash.update(&credentials.user);
    hash.update(&credentials.password);
    hash.finalize().into()
}

fn load(path: &std::path::Path, text: &str) -> Result<Arc<Loaded>, AuthError> {
    let (accounts, unusable) = htpasswd::parse(text);
    for bad in &unusable {
        tracing::warn!(file = %path.display(), line = bad.line, user = bad.user, reason = bad.reason,
            "password line is not used");
    }
    metrics::gauge!("registry_htpasswd_unusable_lines").set(unusable.len() as f64);
    if accounts.is_empty() {
        return Err(AuthError::NoAccounts { path: path.to_owned() });
    }
    let mut hashes: HashMap<String, Vec<Hash>> = HashMap::new();
    for (user, hash) in accounts {
        hashes.entry(user).or_default().push(hash);
    }
    Ok(Arc::new(Loaded { generation: Uuid::new_v4(), hashes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: &str, password: &str) -> Credentials {
        Credentials { user: user.into(), password: password.into() }
    }

    // registry AU5 AU6
    #[tokio::test]
    async fn passwords_follow_the_file_and_the_last_good_state_is_kept() {
        let sha = |p: &str| {
            use base64::Engine as _;
            format!("{{SHA}}{}", base64::engine::general_purpose::STANDARD.encode(sha1::Sha1::digest(p)))
        };
        let text = format!("ann:{}\nann:{}\n", sha("old"), sha("new"));
        let accounts = Accounts::new("f".into(), &text, "R".into(), vec![]).unwrap();
        for password in ["old", "new", "old"] {
            assert!(accounts.verify(&login("ann", password)).await.is_some());
        }
        assert!(accounts.verify(&login("ann", "wrong")).await.is_none());
        assert!(accounts.verify(&login("bob", "old")).await.is_none());
        assert!(accounts.reload("garbage").is_err());
        assert!(accounts.verify(&login("ann", "old")).await.is_some());
        accounts.reload(&format!("ann:{}", sha("new"))).unwrap();
        assert!(accounts.verify(&login("ann", "old")).await.is_none());
        assert!(accounts.verify(&login("ann", "new")).await.is_some());
    }
}
