//! The `Authorization` header.

use base64::Engine as _;

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

impl Credentials {
    /// Whether the header says that there are none, as clients of containers/image do: with an empty name and password.
    pub fn are_none(header: &[u8]) -> bool {
        decoded(header).is_some_and(|text| text == ":")
    }

    /// Reads one Basic header. Empty name and password are no credentials (registry AU1).
    pub fn parse(header: &[u8]) -> Option<Self> {
        let decoded = decoded(header)?;
        let (user, password) = decoded.split_once(':')?;
        let fits = !user.is_empty() && user.len() <= LONGEST_USER && password.len() <= LONGEST_PASSWORD;
        fits.then(|| Self { user: user.to_owned(), password: password.to_owned() })
    }
}

/// What a Basic header has in it.
fn decoded(header: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, encoded) = text.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry AU1 AU2
    #[test]
    fn only_a_well_formed_basic_header_is_a_credential() {
        let parsed = Credentials::parse(b"Basic YTpiOmM=").unwrap();
        assert_eq!((parsed.user.as_str(), parsed.password.as_str()), ("a", "b:c"));
        for bad in ["Basic Og==", "Token x", "Bearer garbage", "Basic !!!", "Basic", ""] {
            assert_eq!(Credentials::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    // registry AU3
    #[test]
    fn credentials_are_not_endless() {
        for (user, password, good) in [(255, 1024, true), (256, 1, false), (1, 1025, false)] {
            let text = format!("{}:{}", "u".repeat(user), "p".repeat(password));
            let encoded = base64::engine::general_purpose::STANDARD.encode(text);
            assert_eq!(Credentials::parse(format!("Basic {encoded}").as_bytes()).is_some(), good);
        }
    }
}
