//! Where passwords are hashed: as many at a time as there are processors, and from one address half of them, so that who
//! sends many waits for himself.

use std::{net::IpAddr, sync::Arc, time::Duration};

use moka::future::Cache;
use tokio::sync::Semaphore;

use crate::auth::attempts::origin;

/// How long an address that sends nothing keeps its place.
const REMEMBERED: Duration = Duration::from_secs(60);
const REMEMBERED_AT_MOST: u64 = 100_000;

/// The threads that hash.
pub struct Hashing {
    threads: Arc<Semaphore>,
    share: usize,
    addresses: Cache<IpAddr, Arc<Semaphore>>,
}

impl Default for Hashing {
    fn default() -> Self {
        Self::by(std::thread::available_parallelism().map_or(2, usize::from))
    }
}

impl Hashing {
    /// By so many threads.
    pub fn by(threads: usize) -> Self {
        let addresses = Cache::builder().max_capacity(REMEMBERED_AT_MOST).time_to_idle(REMEMBERED).build();
        Self { threads: Arc::new(Semaphore::new(threads)), share: threads.div_ceil(2), addresses }
    }

    /// The result of the work, for somebody at this address. Nothing if the work panics.
    pub async fn run(&self, from: IpAddr, work: impl FnOnce() -> bool + Send + 'static) -> Option<bool> {
        let turn = self.turns(from).await.acquire_owned().await.ok()?;
        let thread = Arc::clone(&self.threads).acquire_owned().await.ok()?;
        let done = tokio::task::spawn_blocking(move || {
            // It works on when its client has left, and is counted as long.
            let _held = (turn, thread);
            work()
        });
        done.await.ok()
    }

    async fn turns(&self, from: IpAddr) -> Arc<Semaphore> {
        let new = async { Arc::new(Semaphore::new(self.share)) };
        self.addresses.get_with(origin(from), new).await
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    // registry AU3
    #[tokio::test]
    async fn a_client_that_leaves_frees_no_room_for_another_hash() {
        let hashing = Hashing::default();
        let free = hashing.threads.available_permits();
        let (finish, finished) = std::sync::mpsc::channel();
        let here = IpAddr::from([127, 0, 0, 1]);
        assert!(hashing.run(here, move || finished.recv().is_ok()).now_or_never().is_none());
        assert_eq!(hashing.threads.available_permits(), free - 1);
        finish.send(()).unwrap();
    }
}
