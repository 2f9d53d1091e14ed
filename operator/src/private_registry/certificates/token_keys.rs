//! Keys that sign tokens. A new one is known to every pod before it signs, and the one before stays known until the last
//! token that it signed has ended: so no token is refused in between, whichever pod gave it and whichever is asked.

use rcgen::KeyPair;

use crate::private_registry::error::ResolveError;

/// How long a key signs, in seconds.
const EVERY: i64 = 30 * 24 * 3600;
/// How long a new key is known before it signs, in seconds: pods get files that changed within two minutes.
const ANNOUNCED: i64 = 600;
/// How long the key before stays known, in seconds: a token lives for a day at most.
const OVERLAP: i64 = 25 * 3600;

/// The other key, by which tokens may be signed as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Other {
    /// It signs next.
    Next(String),
    /// It signed before.
    Previous(String),
}

/// Keys of the curve P-256, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKeys {
    /// The one that signs.
    pub key: String,
    /// The one beside it.
    pub other: Option<Other>,
    /// Since when it is so, in seconds since 1970.
    pub since: i64,
    /// Value of the annotation `rotate-credentials` that was carried out last.
    pub wish: Option<String>,
}

impl TokenKeys {
    /// The first key, at `now`.
    pub fn new(now: i64, wish: Option<&str>) -> Result<Self, ResolveError> {
        Ok(Self { key: generate()?, other: None, since: now, wish: wish.map(str::to_owned) })
    }

    /// The keys as they should be at `now`. `wish` asks for a new one, once: after a step that has begun.
    pub fn step(mut self, wish: Option<&str>, now: i64) -> Result<Self, ResolveError> {
        let asked = wish.is_some() && wish != self.wish.as_deref();
        let age = now - self.since;
        self.other = match self.other.take() {
            Some(Other::Next(next)) if age >= ANNOUNCED => {
                Some(Other::Previous(std::mem::replace(&mut self.key, next)))
            }
            Some(Other::Previous(_)) if age >= OVERLAP => None,
            None if asked || age >= EVERY => {
                self.wish = wish.map(str::to_owned).or(self.wish);
                Some(Other::Next(generate()?))
            }
            same => return Ok(Self { other: same, ..self }),
        };
        Ok(Self { since: now, ..self })
    }

    /// When the next step is due, in seconds since 1970.
    pub fn due(&self) -> i64 {
        self.since
            + match self.other {
                Some(Other::Next(_)) => ANNOUNCED,
                Some(Other::Previous(_)) => OVERLAP,
                None => EVERY,
            }
    }
}

/// A new key.
fn generate() -> Result<String, ResolveError> {
    let made = KeyPair::generate();
    let key =
        made.map_err(|source| ResolveError::Certificate { what: "make a key that signs tokens", source })?;
    Ok(key.serialize_pem())
}

/// Whether `pem` is a key that can sign tokens.
pub fn signs(pem: &str) -> bool {
    KeyPair::from_pem(pem).is_ok_and(|key| key.is_compatible(&rcgen::PKCS_ECDSA_P256_SHA256))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(keys: &TokenKeys, wish: Option<&str>, now: i64) -> TokenKeys {
        keys.clone().step(wish, now).unwrap()
    }

    // registry A9: a key is known before it signs, and after
    #[test]
    fn a_key_is_known_before_it_signs_and_after() {
        let first = TokenKeys::new(0, None).unwrap();
        assert!(signs(&first.key) && !signs("no key"));
        assert_eq!(first.due(), EVERY);
        assert_eq!(step(&first, None, EVERY - 1), first);
        let announced = step(&first, None, EVERY);
        let Some(Other::Next(next)) = announced.other.clone() else { panic!("{announced:?}") };
        assert_eq!((announced.key.as_str(), announced.due()), (first.key.as_str(), EVERY + ANNOUNCED));
        assert_eq!(step(&announced, None, announced.due() - 1), announced);
        let promoted = step(&announced, None, announced.due());
        assert_eq!(
            (promoted.key.as_str(), &promoted.other),
            (next.as_str(), &Some(Other::Previous(first.key)))
        );
        assert_eq!(step(&promoted, None, promoted.due() - 1), promoted);
        let alone = step(&promoted, None, promoted.due());
        assert_eq!((alone.key.as_str(), &alone.other), (next.as_str(), &None));
    }

    #[test]
    fn a_key_that_was_asked_for_comes_once() {
        let first = TokenKeys::new(0, Some("monday")).unwrap();
        assert_eq!(step(&first, Some("monday"), 5), first);
        let announced = step(&first, Some("tuesday"), 5);
        assert!(matches!(announced.other, Some(Other::Next(_))));
        assert_eq!(step(&announced, Some("wednesday"), 6), announced, "one after the other");
    }
}
