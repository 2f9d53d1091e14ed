//! The accounts of a password file: who knows the password.

use std::{collections::HashMap, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use moka::future::Cache;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::auth::{
    access::Identity,
    attempts::{Attempts, origin},
    credentials::Credentials,
    error::{AuthError, TokenFault},
    hashing::Hashing,
    htpasswd::{self, Hash, Minimum},
};

/// How long after its last use a verified password is believed, from where it came, without hashing it again: so long the
/// guesses of others neither stop nor delay whoever has shown it.
const PROVEN: Duration = Duration::from_secs(24 * 3600);
const REMEMBERED_AT_MOST: u64 = 10_000;

struct Loaded {
    generation: Uuid,
    accounts: HashMap<String, Account>,
    users: Vec<String>,
}

struct Account {
    /// Another one when its lines are others: what was proven by those before is not proven any more.
    generation: Uuid,
    hashes: Vec<Hash>,
}

impl Loaded {
    /// The user's hashes. For an unknown one those of any other, always the same, so that it takes as long.
    fn hashes(&self, user: &str) -> (Vec<Hash>, bool) {
        let known = self.accounts.get(user);
        let place = u64::from_be_bytes(key(self.generation, &[user])[..8].try_into().unwrap_or_default());
        let decoy = self.users.get(place as usize % self.users.len().max(1));
        let account = known.or_else(|| self.accounts.get(decoy?));
        (account.map(|account| account.hashes.clone()).unwrap_or_default(), known.is_some())
    }

    /// What is remembered of a login that was right: also from where, so that who guesses elsewhere finds what they have
    /// guessed no faster than anybody.
    fn proof(&self, credentials: &Credentials, from: IpAddr) -> [u8; 32] {
        let account = self.accounts.get(&credentials.user);
        let generation = account.map_or(self.generation, |account| account.generation);
        key(generation, &[&credentials.user, &credentials.password, &origin(from).to_string()])
    }
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Unknown user or wrong password.
    Wrong,
    /// Too many wrong passwords of late.
    TooMany,
    /// A token of somebody who is known here, and what is wrong with it.
    Token(TokenFault),
}

/// Accounts, the last good state of their file.
pub struct Accounts {
    /// What the challenge calls this registry.
    pub realm: String,
    path: PathBuf,
    minimum: Minimum,
    loaded: ArcSwap<Loaded>,
    proven: Cache<[u8; 32], ()>,
    attempts: Attempts,
    hashing: Hashing,
}

fn remembered(unused: Duration) -> Cache<[u8; 32], ()> {
    Cache::builder().max_capacity(REMEMBERED_AT_MOST).time_to_idle(unused).build()
}

impl Accounts {
    /// The accounts in `text`, which came from `path`.
    pub fn new(path: PathBuf, text: &str, minimum: Minimum, realm: String) -> Result<Self, AuthError> {
        let loaded = load(&path, text, minimum, &HashMap::new())?.into();
        let proven = remembered(PROVEN);
        let (attempts, hashing) = (Attempts::default(), Hashing::default());
        Ok(Self { realm, path, minimum, loaded, proven, attempts, hashing })
    }

    /// Whether there is such an account.
    pub fn know(&self, user: &str) -> bool {
        self.loaded.load().accounts.contains_key(user)
    }

    /// Takes over a new state of the file, or keeps the old one. Accounts whose lines stay are known as before.
    pub fn reload(&self, text: &str) -> Result<(), AuthError> {
        let before = self.loaded.load_full();
        self.loaded.store(load(&self.path, text, self.minimum, &before.accounts)?);
        self.attempts.forget();
        Ok(())
    }

    /// The identity behind the credentials, which came from this address. Unknown users take as long as wrong
    /// passwords.
    pub async fn verify(&self, credentials: &Credentials, from: IpAddr) -> Result<Identity, Refusal> {
        let loaded = self.loaded.load_full();
        let user = &credentials.user;
        let proof = loaded.proof(credentials, from);
        // Whoever has shown the password is let in, however many others guess.
        if self.proven.get(&proof).await.is_none() {
            if self.attempts.exhausted(user, from).await {
                return Err(Refusal::TooMany);
            }
            let judged = self.judge(&loaded, credentials, from);
            self.proven.try_get_with(proof, judged).await.map_err(|refusal| *refusal)?;
        }
        Ok(Identity::User(user.clone()))
    }

    /// Counts and hashes, once for all who send the same at the same time.
    async fn judge(&self, loaded: &Loaded, credentials: &Credentials, from: IpAddr) -> Result<(), Refusal> {
        let attempt = self.attempts.begin(&credentials.user, from).await.ok_or(Refusal::TooMany)?;
        let (hashes, known) = loaded.hashes(&credentials.user);
        let password = credentials.password.clone();
        let compare = move |hash: &Hash| {
            crate::metrics::password_hashed();
            hash.verify(&password)
        };
        // It is judged there, also when its client has left.
        let judged = self.hashing.run(from, move || {
            let right = hashes.iter().any(compare) && known;
            attempt.judged(right);
            right
        });
        if judged.await == Some(true) { Ok(()) } else { Err(Refusal::Wrong) }
    }
}

/// A key that is worth nothing outside this process: the generation is random and kept nowhere else.
fn key(generation: Uuid, parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(generation.as_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn load(
    path: &std::path::Path,
    text: &str,
    minimum: Minimum,
    before: &HashMap<String, Account>,
) -> Result<Arc<Loaded>, AuthError> {
    let (accounts, unusable) = htpasswd::parse(text, minimum);
    for bad in &unusable {
        tracing::warn!(file = %path.display(), line = bad.line, user = bad.user, reason = bad.reason,
            "password line is not used");
    }
    metrics::gauge!("registry_htpasswd_unusable_lines").set(unusable.len() as f64);
    if accounts.is_empty() {
        return Err(AuthError::NoAccounts { path: path.to_owned(), lines: unusable });
    }
    let mut hashes: HashMap<String, Vec<Hash>> = HashMap::new();
    for (user, hash) in accounts {
        hashes.entry(user).or_default().push(hash);
    }
    let users = hashes.keys().cloned().collect();
    let same = |user: &str, hashes: &[Hash]| before.get(user).filter(|account| account.hashes == hashes);
    let account = |(user, hashes): (String, Vec<Hash>)| {
        let generation = same(&user, &hashes).map_or_else(Uuid::new_v4, |account| account.generation);
        (user, Account { generation, hashes })
    };
    let accounts = hashes.into_iter().map(account).collect();
    Ok(Arc::new(Loaded { generation: Uuid::new_v4(), accounts, users }))
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Instant};

    use futures::FutureExt as _;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    fn made(text: &str) -> Accounts {
        Accounts::new("f".into(), text, Minimum::Any, "R".into()).unwrap()
    }

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
        let accounts = made(&text);
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
        Arc::new(made(&text))
    }

    // registry AU3
    #[tokio::test(flavor = "multi_thread")]
    async fn many_requests_of_one_user_cost_one_hash_and_slow_nobody() {
        let accounts = bcrypt(12, &["ann", "bob", "eve"]);
        let took = async |user: &'static str, times: usize| {
            let began = Instant::now();
            let all = (0..times).map(|_| {
                let accounts = Arc::clone(&accounts);
                tokio::spawn(async move { accounts.verify(&login(user, "secret"), HERE).await.is_ok() })
            });
            assert!(futures::future::join_all(all).await.into_iter().all(Result::unwrap));
            began.elapsed()
        };
        let one = took("bob", 1).await;
        let (ann, eve) = tokio::join!(took("ann", 200), took("eve", 1));
        assert!(ann < one * 20 && eve < one * 20, "{ann:?} for 200, {eve:?} beside them, {one:?} for one");
        // Those of the next seconds are known.
        let later = took("ann", 200).await;
        assert!(later < one, "{later:?} for 200 more, {one:?} for one");
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

    // registry AU8
    #[tokio::test]
    async fn many_guesses_at_once_are_counted_before_they_are_judged() {
        let accounts = bcrypt(4, &["ann"]);
        let guess = |i: usize| {
            let accounts = Arc::clone(&accounts);
            async move { accounts.verify(&login("ann", &format!("guess {i}")), HERE).await }
        };
        let verdicts = futures::future::join_all((0..100).map(guess)).await;
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Err(Refusal::Wrong)).count(), 20);
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Err(Refusal::TooMany)).count(), 80);
    }

    // registry AU8
    #[tokio::test]
    async fn one_wrong_password_that_comes_many_times_at_once_counts_once() {
        let accounts = bcrypt(4, &["ann"]);
        let wrong = login("ann", "old");
        let verdicts = futures::future::join_all((0..30).map(|_| accounts.verify(&wrong, HERE))).await;
        assert!(verdicts.iter().all(|verdict| *verdict == Err(Refusal::Wrong)));
        assert!(accounts.verify(&login("ann", "secret"), HERE).await.is_ok());
    }

    // registry AU8
    #[tokio::test]
    async fn whoever_has_logged_in_today_is_not_locked_out_by_others() {
        let accounts = bcrypt(4, &["ann"]);
        accounts.verify(&login("ann", "secret"), HERE).await.unwrap();
        for i in 0..25 {
            assert!(accounts.verify(&login("ann", &format!("guess {i}")), HERE).await.is_err());
        }
        assert!(accounts.verify(&login("ann", "secret"), HERE).await.is_ok());
    }

    // registry AU8: a day after the last login, not after the first
    #[tokio::test]
    async fn whoever_goes_on_logging_in_stays_known() {
        const UNUSED: Duration = Duration::from_secs(3);
        let mut accounts = bcrypt(4, &["ann"]);
        Arc::get_mut(&mut accounts).unwrap().proven = remembered(UNUSED);
        accounts.verify(&login("ann", "secret"), HERE).await.unwrap();
        Arc::get_mut(&mut accounts).unwrap().hashing = Hashing::by(0);
        let began = Instant::now();
        while began.elapsed() < UNUSED + UNUSED / 2 {
            let known = accounts.verify(&login("ann", "secret"), HERE).now_or_never();
            assert!(known.is_some_and(|known| known.is_ok()), "after {:?}", began.elapsed());
            tokio::time::sleep(UNUSED / 30).await;
        }
    }

    // registry AU8: nor do they wait behind those who guess from many addresses
    #[tokio::test]
    async fn whoever_has_logged_in_today_waits_for_no_hash() {
        let mut accounts = bcrypt(4, &["ann"]);
        accounts.verify(&login("ann", "secret"), HERE).await.unwrap();
        Arc::get_mut(&mut accounts).unwrap().hashing = Hashing::by(0);
        for address in [HERE, THERE] {
            assert_eq!(accounts.verify(&login("ann", "guess"), address).now_or_never(), None);
            let known = accounts.verify(&login("ann", "secret"), HERE).now_or_never();
            assert!(known.unwrap().is_ok());
        }
        // A guess that is right waits as every other, from where nobody has logged in.
        assert_eq!(accounts.verify(&login("ann", "secret"), THERE).now_or_never(), None);
    }

    // registry AU8: an account that is in use is guessed no faster than another
    #[tokio::test]
    async fn beyond_the_limit_a_right_guess_is_told_from_no_wrong_one() {
        let accounts = bcrypt(4, &["ann"]);
        accounts.verify(&login("ann", "secret"), HERE).await.unwrap();
        for i in 0..20 {
            let guessed = accounts.verify(&login("ann", &format!("guess {i}")), THERE).await;
            assert_eq!(guessed, Err(Refusal::Wrong));
        }
        for guess in ["guess", "secret"] {
            assert_eq!(accounts.verify(&login("ann", guess), THERE).await, Err(Refusal::TooMany));
        }
    }

    // registry AU8 AU5
    #[tokio::test]
    async fn a_change_of_other_accounts_makes_nobody_a_stranger() {
        let [ann, bob, other] = [4, 4, 4].map(|cost| bcrypt::hash("secret", cost).unwrap());
        let mut accounts = made(&format!("ann:{ann}\nbob:{bob}"));
        for user in ["ann", "bob"] {
            accounts.verify(&login(user, "secret"), HERE).await.unwrap();
        }
        accounts.reload(&format!("eve:{other}\nann:{ann}\nbob:{other}")).unwrap();
        accounts.hashing = Hashing::by(0);
        let known = |user| accounts.verify(&login(user, "secret"), HERE).now_or_never();
        assert_eq!(known("ann"), Some(Ok(Identity::User("ann".into()))));
        assert_eq!(known("bob"), None);
    }

    // registry AU8
    #[tokio::test]
    async fn whoever_leaves_before_the_password_is_looked_at_has_guessed_nothing() {
        let mut accounts = bcrypt(4, &["ann"]);
        Arc::get_mut(&mut accounts).unwrap().hashing = Hashing::by(0);
        for _ in 0..30 {
            assert_eq!(accounts.verify(&login("ann", "secret"), HERE).now_or_never(), None);
        }
        Arc::get_mut(&mut accounts).unwrap().hashing = Hashing::by(1);
        assert!(accounts.verify(&login("ann", "secret"), HERE).await.is_ok());
    }

    // registry AU4
    #[test]
    fn unknown_users_are_compared_with_every_account_of_the_file() {
        let text = "a:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\na:{SHA}AAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\
                    b:$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.";
        let loaded = load(std::path::Path::new("f"), text, Minimum::Any, &HashMap::new()).unwrap();
        let lines: Vec<usize> = (0..100).map(|i| loaded.hashes(&format!("nobody {i}")).0.len()).collect();
        assert!(lines.contains(&1) && lines.contains(&2), "{lines:?}");
        assert_eq!(loaded.hashes("nobody 1"), loaded.hashes("nobody 1"));
        assert!(loaded.hashes("a").1 && !loaded.hashes("nobody 1").1);
    }

    // registry AU8: names that are no accounts, one after the other
    #[tokio::test]
    async fn an_address_that_tries_many_names_is_stopped_and_others_are_not() {
        let accounts = bcrypt(4, &["ann", "bob"]);
        accounts.verify(&login("bob", "secret"), HERE).await.unwrap();
        let mut verdicts = Vec::new();
        for i in 0..300 {
            verdicts.push(accounts.verify(&login(&format!("name {i}"), "spring"), HERE).await);
        }
        assert!(verdicts[..200].iter().all(|verdict| *verdict == Err(Refusal::Wrong)));
        assert!(verdicts[200..].iter().all(|verdict| *verdict == Err(Refusal::TooMany)));
        assert_eq!(accounts.verify(&login("ann", "secret"), HERE).await, Err(Refusal::TooMany));
        // Elsewhere nothing is known of it, and who has logged in before goes on.
        assert!(accounts.verify(&login("ann", "secret"), THERE).await.is_ok());
        assert!(accounts.verify(&login("bob", "secret"), HERE).await.is_ok());
    }

    // registry AU8 AU3
    #[tokio::test(flavor = "multi_thread")]
    async fn a_flood_of_guesses_from_one_address_keeps_nobody_else_waiting() {
        let mut accounts = bcrypt(8, &["ann"]);
        Arc::get_mut(&mut accounts).unwrap().hashing = Hashing::by(2);
        let flood: Vec<_> = (0..150)
            .map(|i| {
                let accounts = Arc::clone(&accounts);
                tokio::spawn(async move { accounts.verify(&login(&format!("name {i}"), "x"), HERE).await })
            })
            .collect();
        // All of the flood is in the queue before somebody comes.
        while accounts.attempts.of(HERE).await < 150 {
            tokio::task::yield_now().await;
        }
        assert!(accounts.verify(&login("ann", "secret"), THERE).await.is_ok());
        let waiting = flood.iter().filter(|guess| !guess.is_finished()).count();
        assert!(waiting > 75, "{waiting} were still waiting");
        for guess in flood {
            assert_eq!(guess.await.unwrap(), Err(Refusal::Wrong));
        }
    }
}
