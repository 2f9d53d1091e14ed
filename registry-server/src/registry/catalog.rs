//! The list of repositories.

use crate::registry::{error::RegistryError, service::Registry, tags::Page};

impl Registry {
    /// A page of repositories that hold something, in the order of their bytes.
    pub async fn catalog(&self, last: Option<&str>, count: usize) -> Result<Page, RegistryError> {
        let (mut found, mut walk) = (Vec::new(), self.walk());
        while let Some(folder) = walk.next().await? {
            if let Some(name) = folder.with(&["_layers", "_manifests"])
                && self.exists(&name).await?
            {
                found.push(folder.path);
            }
        }
        found.sort_unstable();
        Ok(Page::cut(found, last, count))
    }
}
