//! Whoever vouches for users: what a token of theirs must say, and whom it names.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::auth::{
    access::{Identity, Login},
    error::TokenFault,
    grants::Grants,
    jwt::{self, Claims},
    key_set::KeySet,
};

/// Longer names of users and groups are none.
const LONGEST_NAME: usize = 255;
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// An issuer, without its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// The claim `iss`, letter by letter.
    pub issuer: String,
    /// One of these is in the claim `aud`.
    pub audiences: Vec<String>,
    /// What its tokens may be signed by, of what is known here; none: any of that.
    pub algorithms: Vec<&'static str>,
    /// Whom its tokens name.
    pub naming: Naming,
}

/// How a token names its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// The subject is a service account of a cluster.
    ServiceAccount,
    /// The subject is an account of a token server, which says what may be done, too.
    TokenServer,
    /// We ourselves have written down who it is, and what may be done.
    Ourselves,
    /// As the section `oidc` says.
    Oidc {
        /// What rules call the issuer.
        name: String,
        /// The claim with the user's name.
        user: String,
        /// The claim with the names of groups.
        groups: Option<String>,
        /// Claims that must be there, with these values.
        required: BTreeMap<String, String>,
    },
}

impl Issuer {
    /// How logs call it.
    pub fn name(&self) -> &str {
        match &self.naming {
            Naming::ServiceAccount => "serviceaccounts",
            Naming::TokenServer => "auth.token",
            Naming::Ourselves => "auth.token.builtin",
            Naming::Oidc { name, .. } => name,
        }
    }

    /// Whom the token names, until when, and what it allows if it says so.
    pub fn verify(&self, token: &str, keys: &[Arc<KeySet>], now: f64) -> Result<Login, TokenFault> {
        let claims = jwt::verify(token, keys, &self.algorithms)?;
        if claims.text("iss") != Some(self.issuer.as_str()) {
            return Err(TokenFault::Signature);
        }
        let until = claims.until(now)?;
        if !claims.texts("aud").iter().any(|one| self.audiences.iter().any(|ours| ours == one)) {
            return Err(TokenFault::Audience);
        }
        let says_all = match self.naming {
            Naming::TokenServer => Some(true),
            Naming::Ourselves => Some(false),
            Naming::ServiceAccount | Naming::Oidc { .. } => None,
        };
        let grants = says_all.map(|says_all| Arc::new(Grants::of(&claims, says_all)));
        Ok(Login { who: self.naming.identity(&claims)?, grants, until: Some(until) })
    }
}

impl Naming {
    fn identity(&self, claims: &Claims) -> Result<Identity, TokenFault> {
        let (name, user, groups, required) = match self {
            Self::ServiceAccount => return service_account(claims),
            Self::TokenServer => return account(claims),
            Self::Ourselves => {
                let who = claims.get("who").cloned().unwrap_or_default();
                return serde_json::from_value(who).map_err(|_| TokenFault::Name);
            }
            Self::Oidc { name, user, groups, required } => (name, user, groups, required),
        };
        if required.iter().any(|(claim, value)| claims.text(claim) != Some(value)) {
            return Err(TokenFault::Required);
        }
        // Whoever registers with somebody else's address is not that one.
        if user == "email" && claims.get("email_verified").is_some_and(|said| *said != Value::Bool(true)) {
            return Err(TokenFault::Name);
        }
        let user = claims.text(user).filter(|user| is_name(user)).ok_or(TokenFault::Name)?;
        let groups = groups.as_ref().map(|claim| claims.texts(claim)).unwrap_or_default();
        let groups = groups.into_iter().filter(|group| is_name(group));
        // With the issuer's name before them, so that no issuer puts anybody into a group of this registry.
        let groups = groups.map(|group| format!("oidc:{name}:{group}")).collect();
        Ok(Identity::Oidc { issuer: name.clone(), user: user.to_owned(), groups })
    }
}

/// Whoever has not logged in at the token server has no name.
fn account(claims: &Claims) -> Result<Identity, TokenFault> {
    match claims.text("sub").unwrap_or_default() {
        "" => Ok(Identity::Anonymous),
        name if is_name(name) => Ok(Identity::User(name.to_owned())),
        _ => Err(TokenFault::Name),
    }
}

fn service_account(claims: &Claims) -> Result<Identity, TokenFault> {
    let named =
        claims.text("sub").and_then(|sub| sub.strip_prefix(SERVICE_ACCOUNT)).ok_or(TokenFault::Name)?;
    let (namespace, name) = named.split_once(':').ok_or(TokenFault::Name)?;
    let plain = |part: &str| is_name(part) && !part.contains(['/', ':']);
    if plain(namespace) && plain(name) {
        Ok(Identity::ServiceAccount(format!("{namespace}/{name}")))
    } else {
        Err(TokenFault::Name)
    }
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(naming: &Naming, claims: Value) -> Result<String, TokenFault> {
        let claims: Claims = serde_json::from_value(claims).unwrap();
        naming.identity(&claims).map(|who| match &who {
            Identity::Oidc { groups, .. } => format!("{} {}", who.name(), groups.join(" ")),
            _ => who.name(),
        })
    }

    // registry AU10
    #[test]
    fn a_token_names_its_user_as_the_section_says() {
        let forge = |user: &str, required: &[(&str, &str)]| Naming::Oidc {
            name: "forge".to_owned(),
            user: user.to_owned(),
            groups: Some("groups".to_owned()),
            required: required.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        };
        let (sub, email) = (forge("sub", &[("owner", "acme")]), forge("email", &[]));
        for (naming, claims, expected) in [
            (&sub, json!({ "sub": "a", "owner": "acme" }), Ok("oidc:forge:a ")),
            (&sub, json!({ "sub": "a", "owner": "acme", "groups": "x" }), Ok("oidc:forge:a oidc:forge:x")),
            (
                &sub,
                json!({ "sub": "a", "owner": "acme", "groups": ["x", 1, "", "oidc:other:y", "a\nb"] }),
                Ok("oidc:forge:a oidc:forge:x oidc:forge:oidc:other:y"),
            ),
            (&sub, json!({ "sub": "a", "owner": "other" }), Err(TokenFault::Required)),
            (&sub, json!({ "owner": "acme" }), Err(TokenFault::Name)),
            (&sub, json!({ "sub": 1, "owner": "acme" }), Err(TokenFault::Name)),
            (&email, json!({ "email": "a@x" }), Ok("oidc:forge:a@x ")),
            (&email, json!({ "email": "a@x", "email_verified": true }), Ok("oidc:forge:a@x ")),
            (&email, json!({ "email": "a@x", "email_verified": false }), Err(TokenFault::Name)),
            (&email, json!({ "email": "a@x", "email_verified": "true" }), Err(TokenFault::Name)),
            (
                &Naming::ServiceAccount,
                json!({ "sub": "system:serviceaccount:a:b.c" }),
                Ok("serviceaccount:a/b.c"),
            ),
            (&Naming::ServiceAccount, json!({ "sub": "system:serviceaccount:a" }), Err(TokenFault::Name)),
            (&Naming::ServiceAccount, json!({ "sub": "system:serviceaccount::b" }), Err(TokenFault::Name)),
            (&Naming::ServiceAccount, json!({ "sub": "system:serviceaccount:a/x:b" }), Err(TokenFault::Name)),
            (&Naming::ServiceAccount, json!({ "sub": "admin" }), Err(TokenFault::Name)),
            (&Naming::TokenServer, json!({ "sub": "ann" }), Ok("ann")),
            (&Naming::TokenServer, json!({ "sub": "" }), Ok("-")),
            (&Naming::TokenServer, json!({}), Ok("-")),
            (&Naming::TokenServer, json!({ "sub": "a\nb" }), Err(TokenFault::Name)),
        ] {
            assert_eq!(named(naming, claims.clone()), expected.map(str::to_owned), "{claims}");
        }
    }
}
