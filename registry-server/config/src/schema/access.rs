//! Sections `access` and `groups`.

use serde::{Deserialize, Serialize};

use crate::schema::Pattern;

/// An entry of `access` (*ours*): who may do what, or may not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRule {
    /// Who.
    pub subjects: Vec<Subject>,
    /// In which repositories.
    pub repositories: Vec<Pattern>,
    /// What.
    pub actions: Vec<Action>,
    /// Whether it is allowed or denied.
    #[serde(default, skip_serializing_if = "Effect::allows")]
    pub effect: Effect,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    /// Whoever has not logged in.
    Anonymous,
    /// Every account.
    Authenticated,
    /// One account.
    User(String),
    /// The accounts that section `groups` names.
    Group(String),
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Read manifests, blobs and referrers.
    Pull,
    /// Write them.
    Push,
    /// Delete them.
    Delete,
    /// See tags, and the repository in lists.
    List,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It is allowed, unless another rule denies it.
    #[default]
    Allow,
    /// It is denied, whatever other rules say.
    Deny,
}

impl Effect {
    fn allows(&self) -> bool {
        *self == Self::Allow
    }
}

impl TryFrom<String> for Subject {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once(':') {
            None if text == "anonymous" => Ok(Self::Anonymous),
            None if text == "authenticated" => Ok(Self::Authenticated),
            Some(("user", name)) if !name.is_empty() => Ok(Self::User(name.to_owned())),
            Some(("group", name)) if !name.is_empty() => Ok(Self::Group(name.to_owned())),
            _ => Err(format!("{text:?} is none of anonymous, authenticated, user:NAME and group:NAME")),
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Anonymous => "anonymous".to_owned(),
            Subject::Authenticated => "authenticated".to_owned(),
            Subject::User(name) => format!("user:{name}"),
            Subject::Group(name) => format!("group:{name}"),
        }
    }
}
