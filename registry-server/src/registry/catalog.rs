//! The list of repositories.

use std::future::ready;

use futures::{Stream, StreamExt, TryStreamExt, stream};

use crate::{
    oci::repository_name::RepositoryName,
    registry::{
        error::RegistryError,
        service::{AT_ONCE, Registry},
        tags::Page,
    },
};

impl Registry {
    /// A page of repositories that hold something and are `shown`, in the order of their bytes.
    pub async fn catalog(
        &self,
        last: Option<&str>,
        count: usize,
        shown: impl Fn(&str) -> bool,
    ) -> Result<Page, RegistryError> {
        let folders = self.folders_after(last.unwrap_or_default());
        let holding = self.holding(folders.try_filter(move |path| ready(shown(path))));
        Ok(Page::cut(holding.take(Page::wanted(count)).try_collect().await?, count))
    }

    /// The first `most` repositories that hold something, are `shown` and have `term` in their name, whose letters are
    /// small. What is not shown counts for little: who may see little finds it, unless it is very far.
    pub async fn search(
        &self,
        term: &str,
        most: usize,
        shown: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, RegistryError> {
        let term = term.to_lowercase();
        let all = self.folders_after("").take(self.reach.folders);
        let seen = all.try_filter(move |path| ready(shown(path)));
        let named = seen.take(self.reach.searches).try_filter(move |path| ready(path.contains(&term)));
        self.holding(named).take(most).try_collect().await
    }

    fn folders_after(&self, last: &str) -> impl Stream<Item = Result<String, RegistryError>> + use<> {
        stream::try_unfold(self.walk(last), |mut walk| async move {
            Ok::<_, RegistryError>(walk.next().await?.map(|path| (path, walk)))
        })
    }

    /// Those of the folders that are repositories with something in them.
    fn holding(
        &self,
        folders: impl Stream<Item = Result<String, RegistryError>>,
    ) -> impl Stream<Item = Result<String, RegistryError>> {
        let holding = folders.map(move |path| async move {
            let path = path?;
            let holds = match path.parse::<RepositoryName>() {
                Ok(name) => self.exists(&name).await?,
                Err(_) => false,
            };
            Ok::<_, RegistryError>(holds.then_some(path))
        });
        holding.buffered(AT_ONCE).try_filter_map(|path| async { Ok(path) })
    }
}
