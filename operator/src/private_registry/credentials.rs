//! Accounts: generated passwords, the user's passwords and the user's file become the one file that pods read.

use sha2::{Digest, Sha256};

use crate::{
    crd::condition::reason,
    private_registry::{
        accounts::{
            file::{Merged, OwnFile, Verify, known, merge},
            password,
        },
        desired::{
            secrets::{self, docker_config_password},
            server_config::PULL_USER,
        },
        error::{PassError, Problem},
        generated::keep,
        observe::{Reader, Stored},
    },
};

/// Accounts, and what to say about them.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Generated accounts and their passwords.
    pub generated: Vec<(String, String)>,
    /// Password of the pull account.
    pub pull: String,
    /// Password of the managed Redis.
    pub redis: String,
    /// The password file; none: there is nothing to serve yet.
    pub file: Option<Merged>,
    /// What it was made of; empty: it is not as it should be.
    pub sources: String,
    /// What keeps an account from being as asked.
    pub problem: Option<Problem>,
    /// Names of the Secrets that were made just now.
    pub created: Vec<String>,
}

/// What goes into the file, and where it was read.
#[derive(Default)]
struct Sources {
    accounts: Vec<(String, String)>,
    own: Option<OwnFile>,
    versions: Vec<String>,
    problem: Option<Problem>,
}

/// Reads and makes what the accounts need.
pub async fn gather(reader: &Reader<'_>, addresses: &[String]) -> Result<Credentials, PassError> {
    let mut found = Credentials::default();
    let mut sources = Sources::default();
    generated(reader, &mut found, &mut sources).await?;
    pull(reader, addresses, &mut found, &mut sources).await?;
    redis(reader, &mut found).await?;
    own_file(reader, &mut sources).await?;
    found.sources = hash(&sources);
    let merged = file(reader, &found, sources).await?;
    found.problem = merged.problem.clone();
    if found.problem.is_some() {
        // What is not as it should be is verified anew in every pass.
        found.sources.clear();
    }
    // The pull account alone is no registry that anybody can use: pods start when there is somebody else.
    found.file = Some(merged).filter(|merged| merged.users > 1 || merged.problem.is_none());
    Ok(found)
}

/// Accounts of the object: their passwords are generated, or in Secrets that it names.
async fn generated(
    reader: &Reader<'_>,
    found: &mut Credentials,
    sources: &mut Sources,
) -> Result<(), PassError> {
    for user in &reader.model.users {
        let stored = match &user.password_secret_ref {
            Some(reference) => reader.secret(&reference.name).await?,
            None => {
                let name = reader.model.names.user(&user.name);
                let make = || Ok(secrets::account(reader.model, &user.name, &password::generate()));
                let kept = keep(reader, &name, make).await?;
                found.created.extend(kept.created.then(|| name.clone()));
                Some(kept.stored)
            }
        };
        let own = user.password_secret_ref.as_ref();
        let (name, key) = own.map_or_else(
            || (reader.model.names.user(&user.name), "password"),
            |reference| (reference.name.clone(), reference.key.as_str()),
        );
        match stored.as_ref().and_then(|stored| stored.text(key)).map(|value| unbroken(&value)) {
            Some(value) if value.len() <= 72 => {
                sources.versions.push(format!("{}={}", user.name, version(stored.as_ref())));
                if own.is_none() {
                    found.generated.push((user.name.clone(), value.clone()));
                }
                sources.accounts.push((user.name.clone(), value));
            }
            Some(_) => {
                let message = format!(
                    "key {key} of Secret {name} is longer than the 72 bytes that bcrypt reads: shorten it"
                );
                sources.problem.get_or_insert(Problem::new(reason::INVALID_USER, message));
            }
            None => {
                let hint =
                    if own.is_some() { "" } else { ", or delete the Secret to have a new password made" };
                let message = format!(
                    "account {}: Secret {name} with key {key} is missing: put it there{hint}",
                    user.name
                );
                sources.problem.get_or_insert(Problem::new(reason::SECRET_NOT_FOUND, message));
            }
        }
    }
    Ok(())
}

/// A password from a file often ends in a line break that nobody types.
fn unbroken(password: &str) -> String {
    password.trim_end_matches(['\r', '\n']).to_owned()
}

async fn pull(
    reader: &Reader<'_>,
    addresses: &[String],
    found: &mut Credentials,
    sources: &mut Sources,
) -> Result<(), PassError> {
    let name = reader.model.names.pull();
    let make = || Ok(secrets::pull(reader.model, addresses, &password::generate()));
    let kept = keep(reader, &name, make).await?;
    let password = kept.stored.text(".dockerconfigjson").and_then(|config| docker_config_password(&config));
    found.created.extend(kept.created.then(|| name.clone()));
    // A pull Secret that nobody can read serves nobody: a new password makes it whole.
    found.pull = password.unwrap_or_else(password::generate);
    sources.accounts.push((PULL_USER.into(), found.pull.clone()));
    sources.versions.push(format!("{PULL_USER}={}", version(Some(&kept.stored))));
    Ok(())
}

async fn redis(reader: &Reader<'_>, found: &mut Credentials) -> Result<(), PassError> {
    let Some(_) = secrets::redis_auth(reader.model, "") else { return Ok(()) };
    let name = reader.model.names.redis_auth();
    let make = || {
        secrets::redis_auth(reader.model, &password::generate())
            .ok_or(PassError::Incomplete("a managed Redis"))
    };
    let kept = keep(reader, &name, make).await?;
    found.redis = kept.stored.text("password").unwrap_or_else(password::generate);
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
            sources.versions.push(format!("file={} {:?}", version(stored.as_ref()), settings.minimum_hash));
            let content = content.to_vec();
            sources.own = Some(OwnFile { place, content, minimum: settings.minimum_hash });
        }
        None => {
            let message =
                format!("spec.auth.htpasswd.secretRef: there is no {place}: put a password file there");
            sources.problem = Some(Problem::new(reason::SECRET_NOT_FOUND, message));
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
    if sources.problem.is_some() && !old.is_empty() {
        let users = old.lines().count();
        return Ok(Merged { text: old, users, problem: sources.problem, ..Merged::default() });
    }
    let untouched = stored.as_ref().is_some_and(|stored| untouched(reader, stored, &old, &found.sources));
    let verify: Verify = if untouched { known } else { password::verifies };
    let Sources { accounts, own, problem, .. } = sources;
    let merged = tokio::task::spawn_blocking(move || merge(&old, &accounts, own.as_ref(), verify));
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
