//! Going through all repositories.

use crate::{
    oci::repository_name::RepositoryName,
    registry::{error::RegistryError, layout, service::Registry},
};

/// A folder below that of the repositories.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its path: a repository's name, or the beginning of one.
    pub path: String,
    /// What is in it.
    pub names: Vec<String>,
}

impl Folder {
    /// The repository whose folder has one of these in it.
    pub fn with(&self, parts: &[&str]) -> Option<RepositoryName> {
        let has = self.names.iter().any(|name| parts.contains(&name.as_str()));
        has.then(|| self.path.parse().ok()).flatten()
    }
}

/// All folders, one after the other, in no order.
pub struct Walk<'a> {
    registry: &'a Registry,
    open: Vec<String>,
}

impl Walk<'_> {
    /// The next folder.
    pub async fn next(&mut self) -> Result<Option<Folder>, RegistryError> {
        let Some(path) = self.open.pop() else { return Ok(None) };
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let folder = format!("{}/{prefix}", layout::REPOSITORIES);
        let names = self.registry.store.list(folder.trim_end_matches('/')).await?;
        self.open.extend(names.iter().filter(|n| !n.starts_with('_')).map(|n| format!("{prefix}{n}")));
        Ok(Some(Folder { path, names }))
    }
}

impl Registry {
    /// Begins at the top.
    pub(in crate::registry) fn walk(&self) -> Walk<'_> {
        Walk { registry: self, open: vec![String::new()] }
    }
}
