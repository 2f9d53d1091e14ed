//! The registry's own CA and its rotation. A new CA is published before anything is signed with it, and the old one
//! stays published until it ends: a client with either bundle works at every step.

use crate::private_registry::{
    certificates::{inspect, inspect::Pair, issue, issue::GRACE},
    error::ResolveError,
};

/// How long a new CA is published before it signs, when certificates live long enough.
const ANNOUNCED: i64 = 24 * 3600;

/// What the CA's Secret holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authority {
    /// It signs.
    pub current: Pair,
    /// It is published, and signs next.
    pub next: Option<Pair>,
    /// It signed before: certificates only, for those who still hold what it signed.
    pub previous: Option<String>,
    /// Value of the annotation `rotate-ca` that was carried out last.
    pub rotated: Option<String>,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing was due.
    None,
    /// A new CA is published.
    Announced,
    /// The new CA signs.
    Promoted,
}

/// Lifetimes in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of the CA.
    pub authority: u64,
    /// Of what it signs.
    pub leaf: u64,
}

impl Lifetimes {
    /// Seconds for which a new CA is published before it signs.
    fn announced(self) -> i64 {
        ANNOUNCED.min(self.leaf.cast_signed() / 3)
    }
}

impl Authority {
    /// A first CA.
    pub fn new(registry: &str, now: i64, lifetimes: Lifetimes) -> Result<Self, ResolveError> {
        Ok(Self { current: issue::authority(registry, now, lifetimes.authority)?, ..Self::default() })
    }

    /// Every certificate that clients must trust now.
    pub fn bundle(&self) -> String {
        let next = self.next.as_ref().map(|pair| pair.certificate.as_str());
        [Some(self.current.certificate.as_str()), next, self.previous.as_deref()]
            .into_iter()
            .flatten()
            .collect()
    }

    /// When the next step is due, in seconds since 1970.
    pub fn due(&self, lifetimes: Lifetimes) -> i64 {
        let begun = self.next.as_ref().and_then(|next| inspect::first(&next.certificate));
        let promotion = begun.map(|facts| facts.not_before + GRACE + lifetimes.announced());
        let renewal = || inspect::first(&self.current.certificate).map_or(0, |facts| facts.renewal());
        promotion.unwrap_or_else(renewal)
    }

    /// The CA as it should be at `now`. `requested` is the value of the annotation `rotate-ca`.
    pub fn step(
        mut self,
        registry: &str,
        now: i64,
        lifetimes: Lifetimes,
        requested: Option<&str>,
    ) -> Result<(Self, Step), ResolveError> {
        let ended = |pem: &String| inspect::first(pem).is_none_or(|facts| facts.not_after <= now);
        if self.previous.as_ref().is_some_and(ended) {
            self.previous = None;
        }
        let asked = requested.is_some() && requested != self.rotated.as_deref();
        let due = self.due(lifetimes) <= now;
        match self.next.take() {
            Some(next) if due => {
                self.previous = Some(std::mem::replace(&mut self.current, next).certificate);
                Ok((self, Step::Promoted))
            }
            Some(next) => Ok((Self { next: Some(next), ..self }, Step::None)),
            None if due || asked => {
                self.next = Some(issue::authority(registry, now, lifetimes.authority)?);
                self.rotated = requested.map(str::to_owned).or(self.rotated);
                Ok((self, Step::Announced))
            }
            None => Ok((self, Step::None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const START: i64 = 1_800_000_000;
    const LIVES: Lifetimes = Lifetimes { authority: 3650 * 86_400, leaf: 90 * 86_400 };

    fn stepped(authority: Authority, now: i64, requested: Option<&str>) -> (Authority, Step) {
        authority.step("team", now, LIVES, requested).unwrap()
    }

    // operator 39: published first, signing a day later, the old one published until it ends
    #[test]
    fn a_client_with_either_bundle_works_at_every_step() {
        let first = Authority::new("team", START, LIVES).unwrap();
        let (same, step) = stepped(first.clone(), first.due(LIVES) - 1, None);
        assert_eq!((&same, step), (&first, Step::None));

        let (announced, step) = stepped(first.clone(), first.due(LIVES), None);
        assert_eq!((step, &announced.current), (Step::Announced, &first.current));
        assert_eq!(announced.bundle().matches("BEGIN").count(), 2);

        let early = first.due(LIVES) + DAY - 1;
        assert_eq!(stepped(announced.clone(), early, None).1, Step::None);
        let (promoted, step) = stepped(announced.clone(), early + 1, None);
        assert_eq!((step, Some(&promoted.current)), (Step::Promoted, announced.next.as_ref()));
        assert!(promoted.bundle().contains(&first.current.certificate));

        let (clean, _) = stepped(promoted.clone(), START + 3650 * DAY + 1, None);
        assert_eq!(clean.bundle(), promoted.current.certificate);
    }

    #[test]
    fn a_rotation_that_was_asked_for_is_carried_out_once() {
        let first = Authority::new("team", START, LIVES).unwrap();
        let (announced, step) = stepped(first, START + DAY, Some("monday"));
        assert_eq!(step, Step::Announced);
        let (promoted, step) = stepped(announced, START + 3 * DAY, Some("monday"));
        assert_eq!(step, Step::Promoted);
        assert_eq!(stepped(promoted.clone(), START + 4 * DAY, Some("monday")).1, Step::None);
        assert_eq!(stepped(promoted, START + 4 * DAY, Some("tuesday")).1, Step::Announced);
    }
}
