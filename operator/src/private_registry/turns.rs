//! Whose turn it is. A new registry's children tell of themselves for a while, and each word asks for a pass; when many are
//! made at once, those that nobody has looked at yet go first.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How long a registry that was looked at waits for those that were not, at most.
const WAIT: Duration = Duration::from_secs(120);
/// So many that nobody has looked at are a crowd: fewer are all looked at right away.
const CROWD: usize = 16;

/// When each registry was last looked at, by namespace and name.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<String, Instant>>);

impl Turns {
    /// Whether many of these were never looked at. One that was, and without success, is not among them.
    pub fn crowded(&self, registries: &[String]) -> bool {
        let looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        registries.iter().filter(|key| !looked.contains_key(*key)).count() > CROWD
    }

    /// How long a registry has to wait while `crowded`; nothing: it is its turn, from now on.
    pub fn wait(&self, key: &str, crowded: bool) -> Option<Duration> {
        let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = looked.get(key).and_then(|last| WAIT.checked_sub(last.elapsed()));
        if let Some(left) = left.filter(|left| crowded && !left.is_zero()) {
            return Some(left);
        }
        looked.insert(key.to_owned(), Instant::now());
        None
    }

    /// The registry is gone.
    pub fn forget(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // operator 82: nobody waits longer than that, and nobody at all while there is room
    #[tokio::test(start_paused = true)]
    async fn who_was_looked_at_waits_for_those_who_were_not() {
        let turns = Turns::default();
        assert_eq!(turns.wait("a", true), None);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(turns.wait("a", true), Some(Duration::from_secs(110)));
        assert_eq!(turns.wait("b", true), None);
        tokio::time::advance(Duration::from_secs(110)).await;
        assert_eq!(turns.wait("a", true), None);
        assert_eq!((turns.wait("a", false), turns.wait("a", true)), (None, Some(WAIT)));
        turns.forget("a");
        assert_eq!(turns.wait("a", true), None);
    }

    // guarantee 9: those that cannot be carried out are looked at once, and keep nobody waiting after that
    #[test]
    fn a_crowd_is_of_those_that_were_never_looked_at() {
        let turns = Turns::default();
        let all: Vec<String> = (0..=CROWD).map(|number| format!("tools/{number}")).collect();
        assert!(turns.crowded(&all) && !turns.crowded(&all[1..]));
        turns.wait("tools/0", true);
        assert!(!turns.crowded(&all));
    }
}
