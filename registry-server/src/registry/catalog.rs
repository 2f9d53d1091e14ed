//! The list of repositories.

use crate::{
    oci::repository_name::RepositoryName,
    registry::{error::RegistryError, layout, service::Registry, tags::Page},
};

impl Registry {
    /// A page of repositories that hold something, in the order of their bytes.
    pub async fn catalog(&self, last: Option<&str>, count: usize) -> Result<Page, RegistryError> {
        let mut found = Vec::new();
        let mut open = vec![String::new()];
        while let Some(prefix) = open.pop() {
            let folder =
                format!("{}{}{prefix}", layout::REPOSITORIES, if prefix.is_empty() { "" } else { "/" });
            let names = self.store.list(&folder).await?;
            if names.iter().any(|n| n == "_layers" || n == "_manifests")
                && let Ok(name) = prefix.parse::<RepositoryName>()
                && self.exists(&name).await?
            {
                found.push(prefix.clone());
            }
            let below = names.iter().filter(|n| !n.starts_with('_'));
            open.extend(below.map(|n| if prefix.is_empty() { n.clone() } else { format!("{prefix}/{n}") }));
        }
        found.sort_unstable();
        Ok(Page::cut(found, last, count))
    }
}
