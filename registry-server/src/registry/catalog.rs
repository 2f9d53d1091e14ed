//! The list of repositories.

use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    oci::repository_name::RepositoryName,
    registry::{
        error::RegistryError,
        service::{AT_ONCE, Registry},
        tags::Page,
    },
};

impl Registry {
    /// A page of repositories that hold something, in the order of their bytes.
    pub async fn catalog(&self, last: Option<&str>, count: usize) -> Result<Page, RegistryError> {
        let walk = self.walk(last.unwrap_or_default());
        let folders = stream::try_unfold(walk, |mut walk| async move {
            Ok::<_, RegistryError>(walk.next().await?.map(|path| (path, walk)))
        });
        let holding = folders.map(|path| async move {
            let path = path?;
            let holds = match path.parse::<RepositoryName>() {
                Ok(name) => self.exists(&name).await?,
                Err(_) => false,
            };
            Ok::<_, RegistryError>(holds.then_some(path))
        });
        let holding = holding.buffered(AT_ONCE).try_filter_map(|path| async { Ok(path) });
        Ok(Page::cut(holding.take(Page::wanted(count)).try_collect().await?, count))
    }
}
