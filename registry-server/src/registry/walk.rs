//! Going through all repositories.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    oci::repository_name::RepositoryName,
    registry::{error::RegistryError, layout, service::Registry},
    storage::order::turned_around,
};

/// Folders that are read at once.
const PAGE: usize = 1_000;

/// Folders with one parent that have been read, or will be.
struct Siblings {
    /// What their paths begin with.
    prefix: String,
    read: VecDeque<String>,
    more: bool,
}

/// All folders, in the order of their paths' bytes: each may be a repository, or the beginning of one.
pub struct Walk {
    registry: Registry,
    after: String,
    /// What comes next, by path. Of siblings the first is here, and the others come with it.
    next: BTreeMap<String, Option<Siblings>>,
}

impl Walk {
    /// The next folder.
    pub async fn next(&mut self) -> Result<Option<String>, RegistryError> {
        while let Some((path, siblings)) = self.next.pop_first() {
            if let Some(siblings) = siblings {
                self.go_on(siblings, &path).await?;
            }
            self.enter(&path).await?;
            if path > self.after {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Leaves out whatever has no path after `after`.
    async fn enter(&mut self, path: &str) -> Result<(), RegistryError> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let after = match self.after.strip_prefix(&prefix) {
            Some(rest) => rest.split('/').next().unwrap_or_default().to_owned(),
            None if prefix < self.after => return Ok(()),
            None => String::new(),
        };
        // They need not be there, and the text may come from a client: what is no repository's name is no path.
        let paths = turned_around(&after).chain([&*after]).map(|name| format!("{prefix}{name}"));
        self.next
            .extend(paths.filter(|path| path.parse::<RepositoryName>().is_ok()).map(|path| (path, None)));
        self.go_on(Siblings { prefix, read: VecDeque::new(), more: true }, &after).await
    }

    /// Adds the first of the siblings that comes after the path or name.
    async fn go_on(&mut self, mut siblings: Siblings, after: &str) -> Result<(), RegistryError> {
        let mut after = after.strip_prefix(&siblings.prefix).unwrap_or(after).to_owned();
        loop {
            if siblings.read.is_empty() && siblings.more {
                let folder = format!("{}/{}", layout::REPOSITORIES, siblings.prefix);
                let names = self.registry.store.folders(folder.trim_end_matches('/'), &after, PAGE).await?;
                siblings.more = names.len() >= PAGE;
                siblings.read = names.into();
            }
            let Some(name) = siblings.read.pop_front() else { return Ok(()) };
            // What begins a repository's name is one, so below anything else there is none.
            let path = format!("{}{name}", siblings.prefix);
            if path.parse::<RepositoryName>().is_ok() {
                self.next.insert(path, Some(siblings));
                return Ok(());
            }
            after = name;
        }
    }
}

impl Registry {
    /// Begins after the path.
    pub(in crate::registry) fn walk(&self, after: &str) -> Walk {
        Walk {
            registry: self.clone(),
            after: after.to_owned(),
            next: BTreeMap::from([(String::new(), None)]),
        }
    }
}
