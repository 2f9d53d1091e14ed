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
    /// At most `count` of the sorted `names` that come after `last`.
    pub fn cut(names: Vec<String>, last: Option<&str>, count: usize) -> Self {
        let mut rest = names.into_iter().filter(|name| last.is_none_or(|last| name.as_str() > last));
        let names: Vec<String> = rest.by_ref().take(count).collect();
        let more = !names.is_empty() && rest.next().is_some();
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
        let tags = self.all_tags(name).await?;
        if tags.is_empty() && !self.exists(name).await? {
            return Err(RegistryError::NameUnknown);
        }
        let rest = tags.into_iter().filter(|tag| last.is_none_or(|last| tag.as_str() > last));
        let whole = stream::iter(rest).map(|tag| async move {
            // One that was written or removed by half names nothing.
            let there = self.store.stat(&layout::tag_current(name, &tag)).await?.is_some();
            Ok::<_, RegistryError>(there.then(|| tag.to_string()))
        });
        let whole = whole.buffered(AT_ONCE).try_filter_map(|tag| async { Ok(tag) });
        let wanted = if count == 0 { 0 } else { count.saturating_add(1) };
        Ok(Page::cut(whole.take(wanted).try_collect().await?, None, count))
    }

    async fn all_tags(&self, name: &RepositoryName) -> Result<Vec<Tag>, RegistryError> {
        let names = self.store.list(&layout::tags(name)).await?;
        Ok(names.iter().filter_map(|tag| tag.parse().ok()).collect())
    }

    /// Tags that name this manifest.
    pub(in crate::registry) async fn tags_of(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<Tag>, RegistryError> {
        let tags = stream::iter(self.all_tags(name).await?).map(|tag| async move {
            let current = self.read_link(&layout::tag_current(name, &tag)).await?;
            Ok::<_, RegistryError>((current.as_ref() == Some(digest)).then_some(tag))
        });
        tags.buffered(AT_ONCE).try_filter_map(|tag| async { Ok(tag) }).try_collect().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry F1 F5
    #[test]
    fn a_page_starts_after_last_and_says_whether_more_follow() {
        let names = || ["a", "b", "c"].map(str::to_owned).to_vec();
        let page = |last, count| Page::cut(names(), last, count);
        assert_eq!(page(None, 2), Page { names: vec!["a".into(), "b".into()], more: true });
        assert_eq!(page(Some("b"), 2), Page { names: vec!["c".into()], more: false });
        assert_eq!(page(None, 0), Page { names: vec![], more: false });
    }
}
