//! What stands against a change: the client's own conditions, as `If-Match` and `If-None-Match` state them, and tags that
//! may not be moved.

use crate::{
    oci::{digest::Digest, reference::Reference, repository_name::RepositoryName, tag::Tag},
    registry::{error::RegistryError, immutable_tags::ImmutableTags, layout, service::Registry},
};

/// Content that a header names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Any that is there.
    Any,
    /// One of these digests.
    OneOf(Vec<String>),
}

/// What must be so when the tag is written or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// The tag names this.
    pub matches: Option<Content>,
    /// The tag does not name this.
    pub matches_not: Option<Content>,
}

impl Content {
    fn is(&self, now: Option<&Digest>) -> bool {
        match (self, now) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::OneOf(digests), Some(now)) => digests.contains(&now.to_string()),
        }
    }
}

impl Condition {
    /// Whether there is nothing to judge.
    pub fn is_empty(&self) -> bool {
        self.matches.is_none() && self.matches_not.is_none()
    }

    /// Whether it holds while the tag names `now`.
    pub fn holds(&self, now: Option<&Digest>) -> bool {
        self.matches.as_ref().is_none_or(|content| content.is(now))
            && !self.matches_not.as_ref().is_some_and(|content| content.is(now))
    }
}

/// What stands against a change.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Tags that must not be moved.
    pub immutable: ImmutableTags,
    /// What must be so.
    pub condition: Condition,
}

impl Registry {
    /// The condition holds now for what the reference stands for.
    pub(in crate::registry) async fn require(
        &self,
        name: &RepositoryName,
        reference: &Reference,
        terms: &Terms,
    ) -> Result<(), RegistryError> {
        if terms.condition.is_empty() {
            return Ok(());
        }
        let now = match self.resolve(name, reference).await {
            Ok(digest) => Some(digest),
            Err(RegistryError::ManifestUnknown | RegistryError::NameUnknown) => None,
            Err(error) => return Err(error),
        };
        if terms.condition.holds(now.as_ref()) { Ok(()) } else { Err(RegistryError::Precondition) }
    }

    /// The same before it is removed: what is not there is not found, whatever the condition (RFC 9110, section 13.2.1).
    pub(in crate::registry) async fn require_of_what_is_there(
        &self,
        name: &RepositoryName,
        reference: &Reference,
        terms: &Terms,
    ) -> Result<(), RegistryError> {
        if !terms.condition.is_empty() {
            self.resolve(name, reference).await?;
        }
        self.require(name, reference, terms).await
    }

    /// The tag may be set to `digest`, or removed. An immutable one may be set once; what it stands for may be pushed
    /// again.
    pub(in crate::registry) async fn require_movable(
        &self,
        name: &RepositoryName,
        tag: &Tag,
        digest: Option<&Digest>,
        terms: &Terms,
    ) -> Result<(), RegistryError> {
        if !terms.immutable.include(name, tag) {
            return Ok(());
        }
        match self.read_link(&layout::tag_current(name, tag)).await? {
            Some(current) if digest != Some(&current) => {
                Err(RegistryError::ImmutableTag { tag: tag.clone(), current })
            }
            _ => Ok(()),
        }
    }
}
