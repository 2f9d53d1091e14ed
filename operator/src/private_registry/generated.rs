//! Values that are made once: whoever creates the Secret first wins, and everybody takes what is there.

use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use serde_json::Value;

use crate::{
    cluster::apply::{MANAGER, Outcome, apply},
    private_registry::{
        error::{PassError, unwritten},
        observe::{Reader, Stored},
    },
};

/// A Secret that is there now.
pub struct Kept {
    /// What it holds.
    pub stored: Stored,
    /// It was made just now.
    pub created: bool,
}

/// The Secret `name` as it is; when there is none, the one that `make` describes is created.
///
/// Only type, labels and data are created: what may change later, such as the owner, is applied, so that it can be
/// taken away again.
pub async fn keep(
    reader: &Reader<'_>,
    name: &str,
    make: impl FnOnce() -> Result<Value, PassError>,
) -> Result<Kept, PassError> {
    if let Some(stored) = reader.secret(name).await? {
        return ours(reader, name, stored, false);
    }
    let wanted = make()?;
    let mut secret: Secret =
        serde_json::from_value(wanted.clone()).map_err(|_| PassError::Incomplete("a Secret's data"))?;
    secret.metadata.owner_references = None;
    secret.metadata.annotations = None;
    let params = PostParams { field_manager: Some(MANAGER.into()), ..PostParams::default() };
    match reader.secrets().create(&params, &secret).await {
        Ok(_) => complete(reader, name, wanted).await,
        Err(kube::Error::Api(status)) if status.code == 409 => {
            let winner = reader
                .secret(name)
                .await?
                .ok_or(PassError::Incomplete("a Secret that was there just now"))?;
            ours(reader, name, winner, false)
        }
        Err(error) => Err(unwritten("Secret", name, error)),
    }
}

/// Owner and annotations of a Secret that was just created.
async fn complete(reader: &Reader<'_>, name: &str, wanted: Value) -> Result<Kept, PassError> {
    let applied = apply(reader.client, wanted, None, reader.family()).await;
    let (Outcome::Unchanged(live)
    | Outcome::Created(live)
    | Outcome::Updated(live)
    | Outcome::Reverted(live)) = applied.map_err(|error| unwritten("Secret", name, error))?
    else {
        return Err(PassError::Incomplete("a Secret that was created just now"));
    };
    ours(reader, name, reader.stored(&live)?, true)
}

fn ours(reader: &Reader<'_>, name: &str, stored: Stored, created: bool) -> Result<Kept, PassError> {
    if reader.family().has(&stored.metadata) {
        return Ok(Kept { stored, created });
    }
    let uid = stored.metadata.uid.unwrap_or_default();
    Err(PassError::NameConflict { kind: "Secret".into(), name: name.into(), uid })
}
