//! What must not be told, for every test: what is in a configuration, and what clients show, is looked for in whatever
//! the server says.
//!
//! Secrets are told to nobody, in logs neither. Places, which are paths of the server's machine and addresses of what is
//! behind it, are for whoever runs it: they stand in logs, such as that of a store that does not answer, and in no answer.
//! A bucket to which clients are sent (`storage.redirect`) is no place. The name of an access key is no secret: addresses
//! that it has signed have it.

mod configured;

use std::{collections::BTreeMap, ops::Bound, sync::RwLock};

pub use configured::plant;

/// Shorter ones would be found by chance.
const SHORTEST: usize = 10;
/// Of a longer text the rest is a blob, which is what was pushed.
pub const LONGEST_TEXT: usize = 256 << 10;

/// From whom something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    FromAll,
    FromClients,
}

type Canaries = BTreeMap<Vec<u8>, (Kept, usize)>;

/// Whoever looks keeps nobody else from looking: a server that logs would wait for it.
static PLANTED: RwLock<Canaries> = RwLock::new(BTreeMap::new());

/// What was planted together; places are places as long as it lives, and then somebody else's.
#[derive(Default)]
pub struct Planted(Vec<Vec<u8>>);

impl Planted {
    pub fn keep(&mut self, text: &str, kept: Kept) {
        let text = text.trim().as_bytes();
        if text.len() < SHORTEST {
            return;
        }
        let mut planted = PLANTED.write().unwrap();
        let known = planted.entry(text.to_vec()).or_insert((kept, 0));
        known.1 += 1;
        if kept == Kept::FromAll {
            known.0 = kept;
        }
        if kept == Kept::FromClients {
            self.0.push(text.to_vec());
        }
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        let mut planted = PLANTED.write().unwrap();
        for text in &self.0 {
            let gone = planted.get_mut(text).is_some_and(|(_, count)| {
                *count -= 1;
                *count == 0
            });
            if gone {
                planted.remove(text);
            }
        }
    }
}

/// A secret that a client shows.
pub fn shown(secret: &str) {
    Planted::default().keep(secret, Kept::FromAll);
}

/// The canary in a text that is for these eyes.
fn found(text: &[u8], canaries: &Canaries, clients: bool) -> Option<String> {
    let text = &text[..text.len().min(LONGEST_TEXT)];
    text.windows(SHORTEST).enumerate().find_map(|(at, begin)| {
        let alike = canaries
            .range::<[u8], _>((Bound::Included(begin), Bound::Unbounded))
            .take_while(|(canary, _)| canary.starts_with(begin));
        let mut kept = alike.filter(|(_, (kept, _))| clients || *kept == Kept::FromAll);
        let (canary, _) = kept.find(|(canary, _)| text[at..].starts_with(canary))?;
        Some(String::from_utf8_lossy(canary).into_owned())
    })
}

/// A client is told this.
pub fn told(text: impl AsRef<[u8]>) {
    let found = found(text.as_ref(), &PLANTED.read().unwrap(), true);
    assert_eq!(found, None, "a client is told it: {}", String::from_utf8_lossy(text.as_ref()));
}

/// These lines were logged.
pub fn all_logged(lines: &str) {
    lines.lines().for_each(logged);
}

/// This was logged.
pub fn logged(text: impl AsRef<[u8]>) {
    let found = found(text.as_ref(), &PLANTED.read().unwrap(), false);
    assert_eq!(found, None, "a log tells it: {}", String::from_utf8_lossy(text.as_ref()));
}

mod tests {
    use super::*;

    // registry OB6: what is never found would not be missed
    #[test]
    fn a_secret_is_found_everywhere_and_a_place_where_clients_read() {
        let planted = |text: &str, kept| (text.as_bytes().to_vec(), (kept, 1));
        let canaries = BTreeMap::from([
            planted("canary-secret", Kept::FromAll),
            planted("/canary/place", Kept::FromClients),
        ]);
        for (text, client, log) in [
            (&b"password=canary-secret\xff"[..], Some("canary-secret"), Some("canary-secret")),
            (b"at /canary/place/x", Some("/canary/place"), None),
            (b"canary", None, None),
        ] {
            assert_eq!(found(text, &canaries, true).as_deref(), client);
            assert_eq!(found(text, &canaries, false).as_deref(), log);
        }
    }

    // registry OB6
    #[test]
    fn a_leak_fails_whoever_looks() {
        let mut planted = Planted::default();
        planted.keep("/canary/of/this/test", Kept::FromClients);
        shown("canary-that-was-shown");
        let fails = |look: fn(&'static str), text| std::panic::catch_unwind(|| look(text)).is_err();
        assert!(fails(told, "canary-that-was-shown") && fails(logged, "canary-that-was-shown"));
        // However much was logged before.
        let log = "a line\n".repeat(LONGEST_TEXT / 6) + "canary-that-was-shown";
        assert!(std::panic::catch_unwind(|| all_logged(&log)).is_err());
        assert!(fails(told, "/canary/of/this/test") && !fails(logged, "/canary/of/this/test"));
        drop(planted);
        assert!(!fails(told, "/canary/of/this/test"));
    }
}
