//! Accounts: generated passwords, the user's passwords and the user's file become the one file that pods read.

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::{
    crd::{auth::User, condition::reason, duration::Duration, reference::PasswordRef},
    private_registry::{
        accounts::{
            file::{Accounts, Merged, Own, OwnFile, merge},
            password,
            rotation::{Account, Schedule},
        },
        desired::{
            secrets::{self, RedisLogin, docker_config_password},
            server_config::PULL_USER,
        },
        error::{PassError, Problem},
        generated::keep,
        model::CacheKind,
        observe::{Reader, Stored},
    },
};

/// Bytes of a password that bcrypt tells apart: it reads 72, with the zero that ends them.
const LONGEST: usize = 71;
/// Hashing takes a core: so many at a time.
static HASHING: Semaphore = Semaphore::const_new(2);
/// How long the pull account's former password works: copies of the pull Secret are made by hand. In seconds.
const PULL_OVERLAP: u64 = 24 * 3600;

/// The account of Redis servers that have none.
const DEFAULT_USER: &str = "default";
/// Stands in the file of a password that nobody has given yet: the server wants one there, and Redis refuses it.
const NOT_GIVEN: &str = "not-given-yet";

/// Accounts, and what to say about them.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Generated accounts, by name.
    pub generated: Vec<(String, Account)>,
    /// The pull account.
    pub pull: Account,
    /// What the registry logs in to Redis with.
    pub redis: RedisLogin,
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
    /// When a password has to be replaced or forgotten next, in seconds since 1970.
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

/// Reads and makes what the accounts need.
pub async fn gather(reader: &Reader<'_>, authorities: &[String]) -> Result<Credentials, PassError> {
    let mut found = Credentials::default();
    let mut sources = Sources::default();
    for user in &reader.model.users {
        match &user.password_secret_ref {
            Some(reference) => own_password(reader, &user.name, reference, &mut sources).await?,
            None => generated(reader, user, &mut found, &mut sources).await?,
        }
    }
    pull(reader, authorities, &mut found, &mut sources).await?;
    redis(reader, &mut found).await?;
    own_file(reader, &mut sources).await?;
    found.sources = hash(&sources);
    let merged = file(reader, &found, sources).await?;
    found.problem = merged.problem.clone();
    // The pull account alone is no registry that anybody can use: pods start when there is somebody else.
    found.file = Some(merged).filter(|merged| merged.users > 1 || merged.problem.is_none());
    Ok(found)
}

impl Sources {
    /// One password of one account, from `stored`.
    fn add(&mut self, user: &str, password: &str, stored: Option<&Stored>, key: &str) {
        self.versions.push(format!("{user}={} {key}", version(stored)));
        self.accounts.known.push((user.to_owned(), password.to_owned()));
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
            sources.add(user, &value, stored.as_ref(), &format!("{name}/{key}"))
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
    sources.add(&user.name, &account.password, Some(&kept.stored), "password");
    if let Some(previous) = &account.previous {
        sources.add(&user.name, previous, Some(&kept.stored), "previous");
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
    found.pull = stepped(reader, account, schedule, &name, found);
    sources.add(PULL_USER, &found.pull.password, Some(&kept.stored), "password");
    if let Some(previous) = &found.pull.previous {
        sources.add(PULL_USER, previous, Some(&kept.stored), "previous");
    }
    Ok(())
}

/// The login for Redis: generated for a managed one, the user's for one of theirs.
async fn redis(reader: &Reader<'_>, found: &mut Credentials) -> Result<(), PassError> {
    let name = reader.model.names.redis_auth();
    let fresh = || RedisLogin { username: DEFAULT_USER.into(), password: password::generate() };
    match &reader.model.cache {
        CacheKind::ManagedRedis(_) => {
            let make = || {
                secrets::redis_auth(reader.model, &fresh()).ok_or(PassError::Incomplete("a managed Redis"))
            };
            let kept = keep(reader, &name, make).await?;
            let password = kept.stored.text("password").unwrap_or_else(password::generate);
            found.redis = RedisLogin { password, ..fresh() };
        }
        CacheKind::ExternalRedis(external) => {
            let Some(reference) = &external.credentials_secret_ref else { return Ok(()) };
            // What was good before stays while the Secret is away; `redis_probe` says what is wrong.
            let given = reader.secret(&reference.name).await?;
            let last = if given.is_none() { reader.secret(&name).await? } else { None };
            let stored = given.or(last).unwrap_or_default();
            found.redis = RedisLogin {
                username: stored.text("username").unwrap_or_else(|| DEFAULT_USER.into()),
                password: stored.text("password").map_or_else(|| NOT_GIVEN.into(), |value| unbroken(&value)),
            };
        }
        CacheKind::Memory(_) | CacheKind::None => {}
    }
    Ok(())
}

async fn own_file(reader: &Reader<'_>, sources: &mut Sources) -> Result<(), PassError> {
    let htpasswd = reader.model.spec.auth.as_ref().and_then(|auth| auth.htpasswd.as_ref());
    let Some((settings, reference)) =
        htpasswd.and_then(|all| all.secret_ref.as_ref().map(|found| (all, found)))
    else {
        return Ok(());
    };
    let place = format!("key {} of Secret {}", reference.key, reference.name);
    let stored = reader.secret(&reference.name).await?;
    match stored.as_ref().and_then(|stored| stored.bytes(&reference.key)) {
        Some(content) => {
            let version = version(stored.as_ref());
            sources.versions.push(format!("file={version} {} {:?}", reference.key, settings.minimum_hash));
            let content = content.to_vec();
            sources.own = Own::File(OwnFile { place, content, minimum: settings.minimum_hash });
        }
        None => {
            let message =
                format!("spec.auth.htpasswd.secretRef: there is no {place}: put a password file there");
            sources.versions.push("file is missing".into());
            sources.own = Own::Missing;
            sources.trouble(reason::SECRET_NOT_FOUND, message);
        }
    }
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

/// The merged file. Verifying a line takes a tenth of a second: it is skipped while everything is as it was when the
/// file was made, and never runs on a thread that serves others.
async fn file(reader: &Reader<'_>, found: &Credentials, sources: Sources) -> Result<Merged, PassError> {
    let stored = reader.secret(&reader.model.names.htpasswd()).await?;
    let old = stored.as_ref().and_then(|stored| stored.text("htpasswd")).unwrap_or_default();
    let same = stored.as_ref().is_some_and(|stored| untouched(reader, stored, &old, &found.sources));
    let verified = same && found.rotated.is_empty();
    let Sources { accounts, own, problem, .. } = sources;
    let _permit = HASHING.acquire().await;
    let merged = tokio::task::spawn_blocking(move || merge(&old, &accounts, &own, verified));
    let merged =
        merged.await.map_err(|_| PassError::Incomplete("a password file: hashing was interrupted"))??;
    Ok(Merged { problem: problem.or(merged.problem), ..merged })
}

/// Nobody changed the file since we made it of these sources.
fn untouched(reader: &Reader<'_>, stored: &Stored, old: &str, sources: &str) -> bool {
    let (_, hash) = crate::cluster::apply::marked(secrets::htpasswd(reader.model, old, sources));
    stored.annotation(secrets::SOURCES) == Some(sources)
        && stored.annotation(crate::cluster::apply::APPLIED) == Some(&hash)
}
