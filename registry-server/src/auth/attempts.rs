//! Wrong passwords, counted by account and address, and by address: guessing is slow, and nobody else is slowed.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use moka::future::Cache;

/// Wrong passwords that an account may have from one address within a period.
const ALLOWED: u32 = 20;
/// Wrong passwords that an address may have within a period, for whatever accounts: whoever has one of many names, and not
/// one of many passwords, guesses as well.
const ALLOWED_IN_ALL: u32 = 200;
const REMEMBERED_AT_MOST: u64 = 100_000;

/// How long wrong passwords are remembered, counted from the first.
pub const PERIOD: Duration = Duration::from_secs(60);

/// Wrong passwords of late.
pub struct Attempts {
    failed: Cache<(String, IpAddr), Counter>,
    in_all: Cache<IpAddr, Counter>,
}

type Counter = Arc<AtomicU32>;

/// One that counts until it is judged, and goes on counting if it is wrong.
pub struct Attempt {
    counters: [Counter; 2],
    wrong: bool,
}

impl Attempt {
    /// What came of it.
    pub fn judged(mut self, right: bool) {
        self.wrong = !right;
    }
}

impl Drop for Attempt {
    /// Whoever leaves before it is looked at has learned nothing.
    fn drop(&mut self) {
        for counter in self.counters.iter().filter(|_| !self.wrong) {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            failed: Cache::builder().max_capacity(REMEMBERED_AT_MOST).time_to_live(PERIOD).build(),
            in_all: Cache::builder().max_capacity(REMEMBERED_AT_MOST).time_to_live(PERIOD).build(),
        }
    }
}

/// One more, unless that is too many.
fn count(counter: &Counter, allowed: u32) -> bool {
    let more = |failed: u32| (failed < allowed).then_some(failed + 1);
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}

/// Whoever has one address of IPv6 has the whole network of 64 bits.
pub(in crate::auth) fn origin(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        four => four,
    }
}

impl Attempts {
    /// Whether the account has had too many from there, or all accounts together.
    pub async fn exhausted(&self, user: &str, from: IpAddr) -> bool {
        let failed = self.failed.get(&(user.to_owned(), origin(from))).await;
        let account = failed.is_some_and(|failed| failed.load(Ordering::Relaxed) >= ALLOWED);
        account || self.of(from).await >= ALLOWED_IN_ALL
    }

    /// How many there were of late from there.
    pub async fn of(&self, from: IpAddr) -> u32 {
        self.in_all.get(&origin(from)).await.map_or(0, |failed| failed.load(Ordering::Relaxed))
    }

    /// One more, counted before it is judged, so that many at once are no way around the limit. Nothing when
    /// there were too many.
    pub async fn begin(&self, user: &str, from: IpAddr) -> Option<Attempt> {
        let account = self.failed.entry((user.to_owned(), origin(from))).or_default().await.into_value();
        let address = self.in_all.entry(origin(from)).or_default().await.into_value();
        if !count(&account, ALLOWED) {
            return None;
        }
        if !count(&address, ALLOWED_IN_ALL) {
            account.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Attempt { counters: [account, address], wrong: false })
    }

    /// Forgives everybody: the passwords are others now.
    pub fn forget(&self) {
        self.failed.invalidate_all();
        self.in_all.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry AU8
    #[tokio::test]
    async fn a_network_of_ipv6_counts_as_one_address() {
        let attempts = Attempts::default();
        for host in 0..ALLOWED {
            let from = format!("2001:db8:0:1::{host:x}").parse().unwrap();
            attempts.begin("ann", from).await.unwrap().judged(false);
        }
        for (from, exhausted) in [("2001:db8:0:1:ffff::1", true), ("2001:db8:0:2::1", false), ("::1", false)]
        {
            assert_eq!(attempts.exhausted("ann", from.parse().unwrap()).await, exhausted, "{from}");
        }
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        attempts.begin("bob", mapped).await.unwrap().judged(true);
        for _ in 0..ALLOWED {
            attempts.begin("bob", "192.0.2.1".parse().unwrap()).await.unwrap().judged(false);
        }
        assert!(attempts.exhausted("bob", mapped).await && attempts.begin("bob", mapped).await.is_none());
    }
}
