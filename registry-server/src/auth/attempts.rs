//! Wrong passwords, counted by account and address: guessing is slow, and nobody else is slowed.

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
const REMEMBERED_AT_MOST: u64 = 100_000;

/// How long wrong passwords are remembered, counted from the first.
pub const PERIOD: Duration = Duration::from_secs(60);

/// Wrong passwords of late.
pub struct Attempts {
    failed: Cache<(String, IpAddr), Arc<AtomicU32>>,
}

/// One that is counted as wrong until it is forgiven.
pub struct Attempt(Arc<AtomicU32>);

impl Attempt {
    /// It was right.
    pub fn forgive(self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self { failed: Cache::builder().max_capacity(REMEMBERED_AT_MOST).time_to_live(PERIOD).build() }
    }
}

/// Whoever has one address of IPv6 has the whole network of 64 bits.
fn origin(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        four => four,
    }
}

impl Attempts {
    /// Whether the account has had too many from there.
    pub async fn exhausted(&self, user: &str, from: IpAddr) -> bool {
        let failed = self.failed.get(&(user.to_owned(), origin(from))).await;
        failed.is_some_and(|failed| failed.load(Ordering::Relaxed) >= ALLOWED)
    }

    /// One more, counted before it is judged, so that many at once are no way around the limit. Nothing when
    /// there were too many.
    pub async fn begin(&self, user: &str, from: IpAddr) -> Option<Attempt> {
        let counter = self.failed.entry((user.to_owned(), origin(from))).or_default().await.into_value();
        let more = |failed: u32| (failed < ALLOWED).then_some(failed + 1);
        let counted = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        counted.is_ok().then_some(Attempt(counter))
    }

    /// Forgives everybody: the passwords are others now.
    pub fn forget(&self) {
        self.failed.invalidate_all();
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
            assert!(attempts.begin("ann", from).await.is_some());
        }
        for (from, exhausted) in [("2001:db8:0:1:ffff::1", true), ("2001:db8:0:2::1", false), ("::1", false)]
        {
            assert_eq!(attempts.exhausted("ann", from.parse().unwrap()).await, exhausted, "{from}");
        }
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        attempts.begin("bob", mapped).await.unwrap().forgive();
        for _ in 0..ALLOWED {
            assert!(attempts.begin("bob", "192.0.2.1".parse().unwrap()).await.is_some());
        }
        assert!(attempts.exhausted("bob", mapped).await && attempts.begin("bob", mapped).await.is_none());
    }
}
