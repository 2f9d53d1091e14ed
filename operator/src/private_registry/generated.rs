//! Values that are made once: whoever creates the Secret first wins, and everybody takes what is there.

use serde_json::Value;

use crate::{
    cluster::{apply::marked, create::create},
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
pub async fn keep(
    reader: &Reader<'_>,
    name: &str,
    make: impl FnOnce() -> Result<Value, PassError>,
) -> Result<Kept, PassError> {
    if let Some(known) = reader.stock.get("Secret", name) {
        return ours(reader, name, reader.stored(&known)?, false);
    }
    let (wanted, _) = marked(make()?);
    match create(&reader.api("v1", "Secret"), &wanted).await {
        Ok(made) => {
            reader.echoes.expect(&made.metadata);
            ours(reader, name, reader.stored(&made)?, true)
        }
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

fn ours(reader: &Reader<'_>, name: &str, stored: Stored, created: bool) -> Result<Kept, PassError> {
    if reader.family().has(&stored.metadata) {
        return Ok(Kept { stored, created });
    }
    let uid = stored.metadata.uid.unwrap_or_default();
    Err(PassError::NameConflict { kind: "Secret".into(), name: name.into(), uid })
}
