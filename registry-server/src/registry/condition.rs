//! Conditions of a push, as `If-Match` and `If-None-Match` state them.

use crate::oci::digest::Digest;

/// Content that a header names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Any that is there.
    Any,
    /// One of these digests.
    OneOf(Vec<String>),
}

/// What must be so when the tag is written.
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
