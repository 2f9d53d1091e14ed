//! Accounts: generated passwords, the user's passwords and the user's file become the one file that pods read.

mod file;
mod redis;
mod tokens;

use sha2::{Digest, Sha256};

use crate::{
    crd::{auth::User, condition::reason, duration::Duration, reference::PasswordRef},
    private_registry::{
        accounts::{
            file::{Accounts, Login, Merged, Own},
            password,
            rotation::{Account, Schedule},
        },
        certificates::token_keys::TokenKeys,
        desired::{
            redis_login::RedisLogins,
            secrets::{self, docker_config_password},
            server_config::PULL_USER,
        },
        error::{PassError, Problem},
        generated::keep,
        observe::{Reader, Stored},
    },
};

/// Bytes of a password that bcrypt tells apart.
const LONGEST: usize = 72;
/// How long the pull account's former password works: copies of the pull Secret are made by hand. In seconds.
const PULL_OVERLAP: u64 = 24 * 3600;

/// Accounts, and what to say about them.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Generated accounts, by name.
    pub generated: Vec<(String, Account)>,
    /// The pull account, where there are accounts.
    pub pull: Option<Account>,
    /// What the registry logs in to Redis with.
    pub redis: RedisLogins,
    /// The keys that sign tokens, where the registry gives them.
    pub token_keys: Option<TokenKeys>,
    /// Another key signs from now on.
    pub signed_anew: bool,
    /// The password file; none: there is nothing to serve yet.
    pub file: Option<Merged>,
    /// What it was made of.
    pub sources: String,
    /// What keeps an account from being as asked.
    pub problem: Option<Problem>,
    /// Names of the Secrets that were made just now.
    pub created: Vec<String>,
    /// Names of the Secrets whose password was replaced just now.
    pub rotated: Vec<String>,
    /// When a password or a key has to be replaced or forgotten next, in seconds since 1970.
    pub due: Option<i64>,
}

/// What goes into the file, and where it was read.
#[derive(Default)]
struct Sources {
    accounts: Accounts,
    own: Own,
    versions: Vec<String>,
    problem: Option<Problem>,
}

/// Reads and makes what the accounts need, where a token server does not take their place, and what else is secret.
pub async fn gather(reader: &Reader<'_>, authorities: &[String]) -> Result<Credentials, PassError> {
    let mut found = Credentials::default();
    if reader.model.token_server().is_none() {
        accounts(reader, authorities, &mut found).await?;
    }
    redis::redis(reader, &mut found).await?;
    tokens::keys(reader, &mut found).await?;
    Ok(found)
}

/// The accounts, and the file of them.
async fn accounts(
    reader: &Reader<'_>,
    authorities: &[String],
    found: &mut Credentials,
) -> Result<(), PassError> {
    let mut sources = Sources::default();
    for user in &reader.model.users {
        match &user.password_secret_ref {
            Some(reference) => own_password(reader, &user.name, reference, &mut sources).await?,
            None => generated(reader, user, found, &mut sources).await?,
        }
    }
    pull(reader, authorities, found, &mut sources).await?;
    file::own_file(reader, &mut sources).await?;
    found.sources = hash(&sources);
    let merged = file::file(reader, found, sources).await?;
    found.problem = merged.problem.clone();
    // The pull account alone is no registry that anybody can use: pods start when there is somebody else.
    found.file = Some(merged).filter(|merged| merged.users > 1 || merged.problem.is_none());
    Ok(())
}

impl Credentials {
    /// Whether the password in this Secret was made in this pass.
    fn made(&self, name: &str) -> bool {
        self.created.iter().chain(&self.rotated).any(|made| made == name)
    }
}

fn login(user: &str, password: &str) -> Login {
    Login { user: user.to_owned(), password: password.to_owned(), random: false }
}

impl Sources {
    /// One password of one account, from `stored`.
    fn add(&mut self, login: Login, stored: Option<&Stored>, key: &str) {
        self.versions.push(format!("{}={} {key}", login.user, version(stored)));
        self.accounts.known.push(login);
    }

    /// An account whose password cannot be had, and why.
    fn lacks(&mut self, user: &str, reason: &'static str, message: String) {
        self.versions.push(format!("{user} is missing"));
        self.accounts.missing.push(user.to_owned());
        self.trouble(reason, format!("account {user}: {message}"));
    }

    /// The first problem is the one that is told.
    fn trouble(&mut self, reason: &'static str, message: String) {
        self.problem.get_or_insert(Problem::new(reason, message));
    }
}

/// An account whose password is in a Secret of the user's.
async fn own_password(
    reader: &Reader<'_>,
    user: &str,
    reference: &PasswordRef,
    sources: &mut Sources,
) -> Result<(), PassError> {
    let PasswordRef { name, key } = reference;
    let stored = reader.secret(name).await?;
    match stored.as_ref().and_then(|stored| password_in(stored, key)) {
        Some(value) if value.len() <= LONGEST => {
            sources.add(login(user, &value), stored.as_ref(), &format!("{name}/{key}"))
        }
        Some(_) => sources.lacks(user, reason::INVALID_USER, too_long(name, key)),
        None => {
            let message = format!("there is no key {key} with a password in a Secret {name}: put one there");
            sources.lacks(user, reason::SECRET_NOT_FOUND, message);
        }
    }
    Ok(())
}

/// The password under `key`; an empty one is none.
fn password_in(stored: &Stored, key: &str) -> Option<String> {
    stored.text(key).map(|value| unbroken(&value)).filter(|value| !value.is_empty())
}

fn too_long(name: &str, key: &str) -> String {
    format!(
        "key {key} of Secret {name} is longer than the {LONGEST} bytes that bcrypt tells apart: shorten it"
    )
}

/// An account whose password the operator generates.
async fn generated(
    reader: &Reader<'_>,
    user: &User,
    found: &mut Credentials,
    sources: &mut Sources,
) -> Result<(), PassError> {
    let name = reader.model.names.user(&user.name);
    let make = || {
        let account = Account { password: password::generate(), ..Account::default() };
        Ok(secrets::account(reader.model, &user.name, &account))
    };
    let kept = keep(reader, &name, make).await?;
    found.created.extend(kept.created.then(|| name.clone()));
    let Some(password) = password_in(&kept.stored, "password") else {
        let message = format!(
            "Secret {name} has no key password: put one there, or delete the Secret to have a new one made"
        );
        sources.lacks(&user.name, reason::SECRET_NOT_FOUND, message);
        return Ok(());
    };
    if password.len() > LONGEST {
        sources.lacks(&user.name, reason::INVALID_USER, too_long(&name, "password"));
        return Ok(());
    }
    let schedule = Schedule {
        every: user.rotate_every.as_ref().map(Duration::seconds),
        overlap: user.overlap.seconds(),
    };
    let account = stepped(reader, account(&kept.stored, password), schedule, &name, found);
    let random = found.made(&name);
    let current = Login { random, ..login(&user.name, &account.password) };
    sources.add(current, Some(&kept.stored), "password");
    if let Some(previous) = &account.previous {
        sources.add(login(&user.name, previous), Some(&kept.stored), "previous");
    }
    found.generated.push((user.name.clone(), account));
    Ok(())
}

/// The account in `stored`, whose password is known.
fn account(stored: &Stored, password: String) -> Account {
    let recorded = stored.annotation(secrets::SINCE).and_then(|text| text.parse().ok());
    let made = stored.metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second());
    Account {
        password,
        previous: stored.text("previous"),
        since: recorded.unwrap_or(made),
        rotated: recorded.is_some(),
        wish: stored.annotation(secrets::WISH).map(str::to_owned),
    }
}

fn stepped(
    reader: &Reader<'_>,
    account: Account,
    schedule: Schedule,
    name: &str,
    found: &mut Credentials,
) -> Account {
    let wish = reader.model.wishes.rotate_credentials();
    // An account that is just being made needs no other password.
    let account = if found.created.iter().any(|created| created == name) {
        Account { wish: wish.map(str::to_owned), since: reader.now, ..account }
    } else {
        account
    };
    let (account, rotated) = account.step(schedule, wish, reader.now, password::generate);
    found.rotated.extend(rotated.then(|| name.to_owned()));
    found.due = [found.due, account.due(schedule)].into_iter().flatten().min();
    account
}

/// A password from a file often ends in a line break that nobody types.
fn unbroken(password: &str) -> String {
    password.trim_end_matches(['\r', '\n']).to_owned()
}

async fn pull(
    reader: &Reader<'_>,
    authorities: &[String],
    found: &mut Credentials,
    sources: &mut Sources,
) -> Result<(), PassError> {
    let name = reader.model.names.pull();
    let make = || {
        let account = Account { password: password::generate(), ..Account::default() };
        Ok(secrets::pull(reader.model, authorities, &account))
    };
    let kept = keep(reader, &name, make).await?;
    let password = kept.stored.text(".dockerconfigjson").and_then(|config| docker_config_password(&config));
    let password = password.filter(|password| !password.is_empty() && password.len() <= LONGEST);
    found.created.extend(kept.created.then(|| name.clone()));
    // A pull Secret that nobody can read serves nobody: a new password makes it whole.
    let account = account(&kept.stored, password.unwrap_or_else(password::generate));
    let schedule = Schedule { every: None, overlap: PULL_OVERLAP };
    let account = stepped(reader, account, schedule, &name, found);
    let random = found.made(&name);
    let current = Login { random, ..login(PULL_USER, &account.password) };
    sources.add(current, Some(&kept.stored), "password");
    if let Some(previous) = &account.previous {
        sources.add(login(PULL_USER, previous), Some(&kept.stored), "previous");
    }
    found.pull = Some(account);
    Ok(())
}

fn version(stored: Option<&Stored>) -> String {
    stored
        .map(|stored| format!("{}/{}", stored.metadata.uid.as_deref().unwrap_or_default(), stored.version()))
        .unwrap_or_default()
}

fn hash(sources: &Sources) -> String {
    hex::encode(Sha256::digest(sources.versions.join("\n")))[..16].to_owned()
}
