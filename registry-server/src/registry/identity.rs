//! The store's identity: a random word, made once.

use uuid::Uuid;

use crate::{
    registry::{error::RegistryError, layout},
    storage::backend::Backend,
};

/// The identity of the store, made if it has none.
pub async fn of(store: &dyn Backend) -> Result<String, RegistryError> {
    if store.stat(layout::IDENTITY).await?.is_none() {
        store.put(layout::IDENTITY, Uuid::new_v4().to_string().into()).await?;
    }
    let found = store.read(layout::IDENTITY).await?.unwrap_or_default();
    let text = String::from_utf8_lossy(&found).trim().to_owned();
    text.parse::<Uuid>()
        .map(|id| id.to_string())
        .map_err(|_| RegistryError::Damaged { key: layout::IDENTITY.to_owned() })
}
