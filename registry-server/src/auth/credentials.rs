//! The `Authorization` header.

use base64::Engine as _;

use crate::auth::jwt;

/// Longer ones are no credentials: hashing takes time that grows with them, before anybody is known.
const LONGEST_USER: usize = 255;
const LONGEST_PASSWORD: usize = 1024;

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account's name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What somebody shows to be let in. What has the shape of a token may be a password all the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    token: Option<String>,
    password: Option<Credentials>,
}

impl Shown {
    /// Whether the header says that there is nothing, as clients of containers/image do: with an empty name and password.
    pub fn is_nothing(header: &[u8]) -> bool {
        decoded(header).is_some_and(|text| text == ":")
    }

    /// Reads one header: `Bearer` and a token, or `Basic` with a password or a token. Empty name and password are nothing
    /// (registry AU1); with a token any name will do.
    pub fn parse(header: &[u8]) -> Option<Self> {
        if let Some(token) = after(header, "bearer") {
            return jwt::is_shaped(token).then(|| Self { token: Some(token.to_owned()), password: None });
        }
        let decoded = decoded(header)?;
        let (user, password) = decoded.split_once(':')?;
        Self::password_or_token(Credentials { user: user.to_owned(), password: password.to_owned() })
    }

    /// A name and what was given as its password, if it may be one or a token.
    pub fn password_or_token(given: Credentials) -> Option<Self> {
        let token = jwt::is_shaped(&given.password).then(|| given.password.clone());
        let user = (1..=LONGEST_USER).contains(&given.user.len());
        let password = Some(given).filter(|given| user && given.password.len() <= LONGEST_PASSWORD);
        (token.is_some() || password.is_some()).then_some(Self { token, password })
    }

    /// What may be a token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// What may be a password.
    pub fn password(&self) -> Option<&Credentials> {
        self.password.as_ref()
    }
}

/// What follows the scheme.
fn after<'a>(header: &'a [u8], scheme: &str) -> Option<&'a str> {
    let (found, rest) = std::str::from_utf8(header).ok()?.trim().split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// What a Basic header has in it.
fn decoded(header: &[u8]) -> Option<String> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(after(header, "basic")?).ok()?;
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{}` thrice.
    const SHAPED: &str = "e30.e30.e30";

    fn basic(text: &str) -> Option<Shown> {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        Shown::parse(format!("Basic {encoded}").as_bytes())
    }

    // registry AU1 AU2
    #[test]
    fn only_a_well_formed_header_is_a_credential() {
        let parsed = Shown::parse(b"Basic YTpiOmM=").unwrap();
        let password = parsed.password().unwrap();
        assert_eq!((password.user.as_str(), password.password.as_str()), ("a", "b:c"));
        for bad in ["Basic Og==", "Token x", "Bearer garbage", "Bearer", "Basic !!!", "Basic", ""] {
            assert!(Shown::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    // registry AU3
    #[test]
    fn credentials_are_not_endless() {
        for (user, password, good) in [(255, 1024, true), (256, 1, false), (1, 1025, false)] {
            let shown = basic(&format!("{}:{}", "u".repeat(user), "p".repeat(password)));
            assert_eq!(shown.is_some(), good);
        }
    }

    // registry AU10
    #[test]
    fn a_token_comes_alone_or_as_a_password_of_anybody() {
        let alone = Shown::parse(format!("bearer  {SHAPED} ").as_bytes()).unwrap();
        assert_eq!((alone.token(), alone.password()), (Some(SHAPED), None));
        for (user, may_be_password) in [("ann", true), ("", false), ("u".repeat(256).as_str(), false)] {
            let shown = basic(&format!("{user}:{SHAPED}")).unwrap();
            assert_eq!(
                (shown.token(), shown.password().is_some()),
                (Some(SHAPED), may_be_password),
                "{user}"
            );
        }
        // A long one is no password, and a longer one no token.
        let long = |length: usize| format!("e30.e30.{}", "x".repeat(length - 8));
        let shown = basic(&format!("ann:{}", long(jwt::LONGEST))).unwrap();
        assert!(shown.token().is_some() && shown.password().is_none());
        assert!(basic(&format!("ann:{}", long(jwt::LONGEST + 1))).is_none());
        for no_token in ["e30.e30", "e30.e30.x.x", "x.e30.x", "e30.W10.x", ".e30.x", "e30.e30=.x"] {
            assert_eq!(basic(&format!("ann:{no_token}")).unwrap().token(), None, "{no_token}");
        }
    }
}
