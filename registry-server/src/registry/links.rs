//! Links: small objects that hold a digest and say that a repository has something.

use bytes::Bytes;

use crate::{
    oci::{
        digest::{Algorithm, Digest},
        repository_name::RepositoryName,
    },
    registry::{error::RegistryError, layout, service::Registry},
};

impl Registry {
    pub(in crate::registry) async fn write_link(
        &self,
        key: &str,
        digest: &Digest,
    ) -> Result<(), RegistryError> {
        Ok(self.store.put(key, Bytes::from(digest.to_string())).await?)
    }

    pub(in crate::registry) async fn read_link(&self, key: &str) -> Result<Option<Digest>, RegistryError> {
        let Some(text) = self.store.read(key).await? else { return Ok(None) };
        let digest = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
        digest.map(Some).ok_or_else(|| RegistryError::Damaged { key: key.to_owned() })
    }

    pub(in crate::registry) async fn has_link(&self, folder: &str) -> Result<bool, RegistryError> {
        Ok(self.store.stat(&layout::link(folder)).await?.is_some())
    }

    /// Digests that have a folder of their own below `<prefix>/<algorithm>`.
    pub(in crate::registry) async fn linked(&self, prefix: &str) -> Result<Vec<Digest>, RegistryError> {
        let mut found = Vec::new();
        for algorithm in Algorithm::ALL {
            let names = self.store.list(&format!("{prefix}/{}", algorithm.as_str())).await?;
            found.extend(names.iter().filter_map(|hex| format!("{}:{hex}", algorithm.as_str()).parse().ok()));
        }
        Ok(found)
    }

    /// Whether the repository holds anything.
    pub(in crate::registry) async fn exists(&self, name: &RepositoryName) -> Result<bool, RegistryError> {
        for algorithm in Algorithm::ALL {
            for folder in [layout::revisions(name, algorithm), layout::layers(name, algorithm)] {
                if !self.store.list(&folder).await?.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// `otherwise` in a repository that holds something; else the repository is unknown.
    pub(in crate::registry) async fn or_name_unknown(
        &self,
        name: &RepositoryName,
        otherwise: RegistryError,
    ) -> RegistryError {
        match self.exists(name).await {
            Ok(true) => otherwise,
            Ok(false) => RegistryError::NameUnknown,
            Err(error) => error,
        }
    }
}
