//! The accounts of a password file: who knows the password.

use std::{collections::HashMap, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use moka::future::Cache;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::auth::{
    access::Identity,
    attempts::Attempts,
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
    /// What unknown users are compared with, so that they take as long as known ones.
    decoy: Vec<Hash>,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Unknown user or wrong password.
    Wrong,
    /// Too many wrong passwords of late.
    TooMany,
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
    attempts: Attempts,
    hashing: Semaphore,
}

impl Accounts {
    /// The accounts in `text`, which came from `path`.
    pub fn new(path: PathBuf, text: &str, realm: String, pull_only: Vec<String>) -> Result<Self, AuthError> {
        let loaded = load(&path, text)?;
        let verdicts = Cache::builder().max_capacity(REMEMBERED_AT_MOST).time_to_live(REMEMBERED).build();
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let (attempts, hashing) = (Attempts::default(), Semaphore::new(threads));
        Ok(Self { realm, pull_only, path, loaded: loaded.into(), verdicts, attempts, hashing })
    }

    /// Takes over a new state of the file, or keeps the old one.
    pub fn reload(&self, text: &str) -> Result<(), AuthError> {
        self.loaded.store(load(&self.path, text)?);
        self.verdicts.invalidate_all();
        self.attempts.forget();
        Ok(())
    }

    /// The identity behind the credentials, which came from this address. Unknown users take as long as wrong
    /// passwords.
    pub async fn verify(&self, credentials: &Credentials, from: IpAddr) -> Result<Identity, Refusal> {
        let loaded = self.loaded.load_full();
        let key = remembered_as(loaded.generation, credentials);
        let user = &credentials.user;
        // Whoever has just shown the password is let in, however many others guess.
        if self.verdicts.get(&key).await.is_none() {
            if self.attempts.exhausted(user, from).await {
                return Err(Refusal::TooMany);
            }
            if self.verdicts.try_get_with(key, self.hash(&loaded, credentials)).await.is_err() {
                self.attempts.failed(user, from).await;
                return Err(Refusal::Wrong);
            }
        }
        Ok(Identity::User(user.clone()))
    }

    async fn hash(&self, loaded: &Loaded, credentials: &Credentials) -> Result<(), ()> {
        let known = loaded.hashes.get(&credentials.user);
        let (hashes, known) = (known.unwrap_or(&loaded.decoy).clone(), known.is_some());
        let password = credentials.password.clone();
        let _permit = self.hashing.acquire().await.map_err(|_| ())?;
        let right = tokio::task::spawn_blocking(move || hashes.iter().any(|hash| hash.verify(&password)));
        right.await.ok().filter(|right| *right && known).map(|_| ()).ok_or(())
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
    let decoy = accounts.iter().take(1).map(|(_, hash)| hash.clone()).collect();
    let mut hashes: HashMap<String, Vec<Hash>> = HashMap::new();
    for (user, hash) in accounts {
        hashes.entry(user).or_default().push(hash);
    }
    Ok(Arc::new(Loaded { generation: Uuid::new_v4(), hashes, decoy }))
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Instant};

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

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
            assert!(accounts.verify(&login("ann", password), HERE).await.is_ok());
        }
        assert!(accounts.verify(&login("ann", "wrong"), HERE).await.is_err());
        assert!(accounts.verify(&login("bob", "old"), HERE).await.is_err());
        assert!(accounts.reload("garbage").is_err());
        assert!(accounts.verify(&login("ann", "old"), HERE).await.is_ok());
        accounts.reload(&format!("ann:{}", sha("new"))).unwrap();
        assert!(accounts.verify(&login("ann", "old"), HERE).await.is_err());
        assert!(accounts.verify(&login("ann", "new"), HERE).await.is_ok());
    }

    fn bcrypt(cost: u32, users: &[&str]) -> Arc<Accounts> {
        let hash = bcrypt::hash("secret", cost).unwrap();
        let text: String = users.iter().map(|user| format!("{user}:{hash}\n")).collect();
        Arc::new(Accounts::new("f".into(), &text, "R".into(), vec![]).unwrap())
    }

    // registry AU3
    #[tokio::test(flavor = "multi_thread")]
    async fn many_requests_of_one_user_cost_one_hash() {
        let accounts = bcrypt(10, &["ann", "bob"]);
        let began = Instant::now();
        accounts.verify(&login("bob", "secret"), HERE).await.unwrap();
        let one = began.elapsed();
        let began = Instant::now();
        let all = (0..200).map(|_| {
            let accounts = Arc::clone(&accounts);
            tokio::spawn(async move { accounts.verify(&login("ann", "secret"), HERE).await.is_ok() })
        });
        let all = futures::future::join_all(all).await;
        assert!(all.into_iter().all(Result::unwrap));
        assert!(began.elapsed() < one * 50, "{:?} for 200, {one:?} for one", began.elapsed());
    }

    // registry AU4
    #[tokio::test]
    async fn unknown_users_take_as_long_as_wrong_passwords() {
        let accounts = bcrypt(8, &["ann"]);
        let mut took = [Duration::ZERO; 2];
        for _ in 0..15 {
            for (user, took) in ["ann", "nobody"].into_iter().zip(&mut took) {
                let began = Instant::now();
                assert_eq!(accounts.verify(&login(user, "wrong"), HERE).await, Err(Refusal::Wrong));
                *took += began.elapsed();
            }
        }
        let [known, unknown] = took.map(|took| took.as_secs_f64());
        assert!((0.4..2.5).contains(&(known / unknown)), "{took:?}");
        // The decoy's password opens nothing.
        assert_eq!(accounts.verify(&login("nobody", "secret"), HERE).await, Err(Refusal::Wrong));
    }

    // registry AU8
    #[tokio::test]
    async fn guessing_is_stopped_where_it_happens() {
        let accounts = bcrypt(4, &["ann", "bob"]);
        accounts.verify(&login("bob", "secret"), HERE).await.unwrap();
        for user in ["ann", "bob"] {
            for _ in 0..20 {
                assert_eq!(accounts.verify(&login(user, "wrong"), HERE).await, Err(Refusal::Wrong));
            }
        }
        assert_eq!(accounts.verify(&login("ann", "secret"), HERE).await, Err(Refusal::TooMany));
        assert!(accounts.verify(&login("ann", "secret"), THERE).await.is_ok());
        // Bob has logged in before: those who guess do not lock him out.
        assert!(accounts.verify(&login("bob", "secret"), HERE).await.is_ok());
    }
}
