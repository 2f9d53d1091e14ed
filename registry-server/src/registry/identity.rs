//! The store's identity: a word in it that tells it from other stores.

use uuid::Uuid;

use crate::{
    registry::{error::RegistryError, layout},
    storage::backend::Backend,
};

/// What the store says that it is. One that is gone says nothing.
pub async fn read(store: &dyn Backend) -> Result<Option<String>, RegistryError> {
    match store.read(layout::IDENTITY).await.map_err(RegistryError::from) {
        Err(error) if error.store_is_gone().is_some() => Ok(None),
        found => Ok(found?.map(|text| String::from_utf8_lossy(&text).trim().to_owned())),
    }
}

/// The identity of the store, made at random if it has none.
pub async fn of(store: &dyn Backend) -> Result<String, RegistryError> {
    let found = match read(store).await? {
        Some(found) => found,
        None => {
            store.put(layout::IDENTITY, Uuid::new_v4().to_string().into()).await?;
            read(store).await?.unwrap_or_default()
        }
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if found.is_empty() || !found.bytes().all(plain) {
        return Err(RegistryError::Damaged { key: layout::IDENTITY.to_owned() });
    }
    Ok(found)
}

/// Makes sure that the store is the expected one. A store that is not becomes it when `initialize` says so.
pub async fn require(store: &dyn Backend, expected: &str, initialize: bool) -> Result<(), RegistryError> {
    let found = read(store).await?;
    if found.as_deref() == Some(expected) {
        return Ok(());
    }
    if !initialize {
        return Err(RegistryError::WrongStore { expected: expected.to_owned(), found });
    }
    tracing::warn!(expected, found, "the store takes over another identity");
    Ok(store.put(layout::IDENTITY, expected.to_owned().into()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::memory::Memory;

    // registry ST3, seed D11
    #[tokio::test]
    async fn only_the_expected_store_is_taken() {
        let store = Memory::default();
        let refused = require(&store, "one", false).await.unwrap_err().to_string();
        assert!(refused.contains("\"one\"") && refused.contains("no identity"), "{refused}");
        assert_eq!(read(&store).await.unwrap(), None);
        require(&store, "one", true).await.unwrap();
        require(&store, "one", false).await.unwrap();
        let refused = require(&store, "two", false).await.unwrap_err().to_string();
        assert!(refused.contains("\"one\"") && refused.contains("\"two\""), "{refused}");
        require(&store, "two", true).await.unwrap();
        assert_eq!(of(&store).await.unwrap(), "two");
    }

    #[tokio::test]
    async fn a_store_gets_an_identity_once() {
        let store = Memory::default();
        let made = of(&store).await.unwrap();
        assert_eq!(of(&store).await.unwrap(), made);
        store.put(layout::IDENTITY, "no word".into()).await.unwrap();
        assert!(of(&store).await.is_err());
    }
}
