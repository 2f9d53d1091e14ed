//! Wrong passwords, counted by account and address: guessing is slow, and nobody else is slowed.

use std::{
    net::IpAddr,
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

impl Default for Attempts {
    fn default() -> Self {
        Self { failed: Cache::builder().max_capacity(REMEMBERED_AT_MOST).time_to_live(PERIOD).build() }
    }
}

impl Attempts {
    /// Whether the account has had too many from there.
    pub async fn exhausted(&self, user: &str, from: IpAddr) -> bool {
        let failed = self.failed.get(&(user.to_owned(), from)).await;
        failed.is_some_and(|failed| failed.load(Ordering::Relaxed) >= ALLOWED)
    }

    /// One more.
    pub async fn failed(&self, user: &str, from: IpAddr) {
        let counter = self.failed.entry((user.to_owned(), from)).or_default().await;
        counter.value().fetch_add(1, Ordering::Relaxed);
    }

    /// Forgives everybody: the passwords are others now.
    pub fn forget(&self) {
        self.failed.invalidate_all();
    }
}
