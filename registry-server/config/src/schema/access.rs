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
    /// Whoever has logged in, by a password or by a token.
    Authenticated,
    /// One account.
    User(String),
    /// The accounts that section `groups` names; as `oidc:NAME:GROUP`, whom the issuer of that name says to be in it.
    Group(String),
    /// Service accounts of the cluster of section `serviceaccounts`, as `NAMESPACE/NAME`.
    ServiceAccount(Pattern),
    /// Clients whose certificate has this name, of the kind that `http.tls.clientidentity` says.
    Certificate(Pattern),
    /// Users that an issuer of section `oidc` names.
    Oidc {
        /// The issuer's name.
        issuer: String,
        /// Its user.
        user: Pattern,
    },
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
        let wrong = |why: String| format!("{text:?}: {why}");
        match text.split_once(':') {
            None if text == "anonymous" => Ok(Self::Anonymous),
            None if text == "authenticated" => Ok(Self::Authenticated),
            Some(("user", name)) if !name.is_empty() => Ok(Self::User(name.to_owned())),
            Some(("group", name)) if !name.is_empty() => Ok(Self::Group(name.to_owned())),
            Some(("serviceaccount", name)) if is_pair(name) => {
                Pattern::try_from(name.to_owned()).map(Self::ServiceAccount).map_err(wrong)
            }
            Some(("cert", name)) => Pattern::try_from(name.to_owned()).map(Self::Certificate).map_err(wrong),
            Some(("oidc", rest)) => match rest.split_once(':') {
                Some((issuer, user)) if !issuer.is_empty() => {
                    let user = Pattern::try_from(user.to_owned()).map_err(wrong)?;
                    Ok(Self::Oidc { issuer: issuer.to_owned(), user })
                }
                _ => Err(wrong("is not oidc:ISSUER:USER".to_owned())),
            },
            Some(("serviceaccount", _)) => Err(wrong("is not serviceaccount:NAMESPACE/NAME".to_owned())),
            _ => Err(format!(
                "{text:?} is none of anonymous, authenticated, user:NAME, group:NAME, \
                 serviceaccount:NAMESPACE/NAME, cert:NAME and oidc:ISSUER:USER"
            )),
        }
    }
}

/// Whether it has one `/`, and something on both sides.
fn is_pair(text: &str) -> bool {
    text.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty() && !b.contains('/'))
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Anonymous => "anonymous".to_owned(),
            Subject::Authenticated => "authenticated".to_owned(),
            Subject::User(name) => format!("user:{name}"),
            Subject::Group(name) => format!("group:{name}"),
            Subject::ServiceAccount(name) => format!("serviceaccount:{}", String::from(name)),
            Subject::Certificate(name) => format!("cert:{}", String::from(name)),
            Subject::Oidc { issuer, user } => format!("oidc:{issuer}:{}", String::from(user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry AU10 AU11
    #[test]
    fn subjects_read_back_as_they_are_written() {
        for text in [
            "anonymous",
            "authenticated",
            "user:ann",
            "group:dev",
            "group:oidc:forge:dev",
            "serviceaccount:prod/*",
            "serviceaccount:{a,b}/builder",
            "oidc:forge:repo:acme/app:ref:refs/heads/main",
            "oidc:forge:**",
            "cert:spiffe://prod/ns/*/sa/builder",
            "cert:*.build.example.com",
        ] {
            let read = Subject::try_from(text.to_owned()).unwrap();
            assert_eq!(String::from(read), text);
        }
        for (text, why) in [
            ("serviceaccount:prod", "NAMESPACE/NAME"),
            ("serviceaccount:prod/", "NAMESPACE/NAME"),
            ("serviceaccount:/a", "NAMESPACE/NAME"),
            ("serviceaccount:a/b/c", "NAMESPACE/NAME"),
            ("serviceaccount:[/b", "unclosed"),
            ("oidc:forge", "ISSUER:USER"),
            ("oidc::ann", "ISSUER:USER"),
            ("oidc:forge:", "empty pattern"),
            ("oidc:forge:[", "unclosed"),
            ("cert:", "empty pattern"),
            ("certificate:ann", "none of anonymous"),
        ] {
            let refused = Subject::try_from(text.to_owned()).unwrap_err();
            assert!(refused.contains(why) && refused.contains(text), "{refused}");
        }
    }
}
