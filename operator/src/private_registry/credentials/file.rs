//! The merged password file, and the file of the user's own that goes into it.

use tokio::sync::Semaphore;

use crate::{
    cluster::apply::{APPLIED, marked},
    crd::condition::reason,
    private_registry::{
        accounts::file::{Merged, Own, OwnFile, merge},
        credentials::{Credentials, Sources, version},
        desired::secrets,
        error::PassError,
        observe::{Reader, Stored},
    },
};

/// Hashing takes a core: so many at a time.
static HASHING: Semaphore = Semaphore::const_new(2);

/// A password file of the user's own, if the object names one.
pub async fn own_file(reader: &Reader<'_>, sources: &mut Sources) -> Result<(), PassError> {
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
            sources.versions.push(format!("file is missing {:?}", settings.minimum_hash));
            sources.own = Own::Missing(settings.minimum_hash);
            sources.trouble(reason::SECRET_NOT_FOUND, message);
        }
    }
    Ok(())
}

/// The merged file. Verifying a line takes a tenth of a second: it is skipped while everything is as it was when the
/// file was made, and never runs on a thread that serves others.
pub async fn file(reader: &Reader<'_>, found: &Credentials, sources: Sources) -> Result<Merged, PassError> {
    let stored = reader.secret(&reader.model.names.htpasswd()).await?;
    let old = stored.as_ref().and_then(|stored| stored.text("htpasswd")).unwrap_or_default();
    let same = stored.as_ref().is_some_and(|stored| untouched(reader, stored, &old, &found.sources));
    let verified = same && found.rotated.is_empty();
    let Sources { accounts, own, problem, .. } = sources;
    let _permit = if verified { None } else { HASHING.acquire().await.ok() };
    let merged = tokio::task::spawn_blocking(move || merge(&old, &accounts, &own, verified));
    let merged =
        merged.await.map_err(|_| PassError::Incomplete("a password file: hashing was interrupted"))??;
    Ok(Merged { problem: problem.or(merged.problem), ..merged })
}

/// Nobody changed the file since we made it of these sources.
fn untouched(reader: &Reader<'_>, stored: &Stored, old: &str, sources: &str) -> bool {
    let (_, hash) = marked(secrets::htpasswd(reader.model, old, sources));
    stored.annotation(secrets::SOURCES) == Some(sources) && stored.annotation(APPLIED) == Some(&hash)
}
