//! Tags of a repository, and pages of sorted names.

use crate::{
    oci::{digest::Digest, repository_name::RepositoryName, tag::Tag},
    registry::{error::RegistryError, layout, service::Registry},
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
        Ok(Page::cut(tags.iter().map(Tag::to_string).collect(), last, count))
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
        let mut found = Vec::new();
        for tag in self.all_tags(name).await? {
            if self.read_link(&layout::tag_current(name, &tag)).await?.as_ref() == Some(digest) {
                found.push(tag);
            }
        }
        Ok(found)
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
