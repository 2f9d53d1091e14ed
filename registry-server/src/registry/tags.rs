//! Tags of a repository, and pages of sorted names.

use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    oci::{digest::Digest, repository_name::RepositoryName, tag::Tag},
    registry::{
        error::RegistryError,
        layout,
        service::{AT_ONCE, Registry},
    },
};

/// A page of sorted names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The names.
    pub names: Vec<String>,
    /// Whether there are more after them.
    pub more: bool,
}

impl Page {
    /// How many names must be known for a page of `count`: one more shows that there are more.
    pub fn wanted(count: usize) -> usize {
        if count == 0 { 0 } else { count.saturating_add(1) }
    }

    /// At most `count` of the sorted `names`.
    pub fn cut(mut names: Vec<String>, count: usize) -> Self {
        let more = count > 0 && names.len() > count;
        names.truncate(count);
        Self { names, more }
    }
}

impl Registry {
    /// A page of tags in the order of their bytes.
    pub async fn tags(
        &self,
        name: &RepositoryName,
        last: Option<&str>,
        count: usize,
    ) -> Result<Page, RegistryError> {
        let wanted = Page::wanted(count);
        let names = self.folders(layout::tags(name), last.unwrap_or_default().to_owned(), wanted);
        let tags = names.try_filter_map(|tag| async move { Ok(tag.parse::<Tag>().ok()) });
        let whole = tags.map(|tag| async move {
            let tag = tag?;
            // One that was written or removed by half names nothing.
            let there = self.store.stat(&layout::tag_current(name, &tag)).await?.is_some();
            Ok::<_, RegistryError>(there.then(|| tag.to_string()))
        });
        let whole = whole.buffered(AT_ONCE).try_filter_map(|tag| async { Ok(tag) });
        let page = Page::cut(whole.take(wanted).try_collect().await?, count);
        if page.names.is_empty() && !self.exists(name).await? {
            return Err(RegistryError::NameUnknown);
        }
        Ok(page)
    }

    async fn all_tags(&self, name: &RepositoryName) -> Result<Vec<Tag>, RegistryError> {
        let names = self.store.list(&layout::tags(name)).await?;
        Ok(names.iter().filter_map(|tag| tag.parse().ok()).collect())
    }

    /// Tags of this manifest.
    pub(in crate::registry) async fn tags_of(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<Tag>, RegistryError> {
        let tags = stream::iter(self.all_tags(name).await?).map(|tag| async move {
            Ok::<_, RegistryError>(self.is_tag_of(name, &tag, digest).await?.then_some(tag))
        });
        tags.buffered(AT_ONCE).try_filter_map(|tag| async { Ok(tag) }).try_collect().await
    }

    /// Whether the tag names the manifest, or has been written or removed by half and is to name it, or did.
    pub(in crate::registry) async fn is_tag_of(
        &self,
        name: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        match self.read_link(&layout::tag_current(name, tag)).await? {
            Some(current) => Ok(current == *digest),
            None => Ok(self.store.stat(&layout::tag_index(name, tag, digest)).await?.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry F1
    #[test]
    fn a_page_says_whether_more_follow() {
        let names = || ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(Page::cut(names(), 2), Page { names: vec!["a".into(), "b".into()], more: true });
        assert_eq!(Page::cut(names(), 3), Page { names: names(), more: false });
        assert_eq!(Page::cut(names(), 0), Page { names: vec![], more: false });
    }
}
