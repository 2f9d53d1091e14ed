//! One look at the store for all who want one at the same time.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use crate::registry::trouble::Seen;

/// The last look, and whoever waits for the next.
#[derive(Default)]
pub struct Looks {
    begun: AtomicU64,
    last: Mutex<Option<Last>>,
}

struct Last {
    number: u64,
    began: Instant,
    seen: Seen,
}

impl Looks {
    /// What a look shows that begins from now on, or one that showed nothing wrong and began less than `age` ago. One
    /// runs at a time, and all who came before it began share it; one that is given up is begun anew by the next.
    pub async fn see(&self, age: Duration, look: impl Future<Output = Seen>) -> Seen {
        let before = self.begun.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if let Some(Last { number, began, seen }) = &*last
            && (*number > before || (seen.is_ok() && began.elapsed() < age))
        {
            return *seen;
        }
        let (number, began) = (self.begun.fetch_add(1, Ordering::SeqCst) + 1, Instant::now());
        let seen = look.await;
        *last = Some(Last { number, began, seen });
        seen
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::registry::trouble::Trouble;

    /// Looks that are counted, and go on when they are told to.
    #[derive(Default)]
    struct Counted {
        looks: Looks,
        count: AtomicU64,
        go_on: tokio::sync::Notify,
    }

    impl Counted {
        async fn ask(self: Arc<Self>, age: Duration, seen: Seen) -> Seen {
            let look = async {
                self.count.fetch_add(1, Ordering::SeqCst);
                self.go_on.notified().await;
                seen
            };
            self.looks.see(age, look).await
        }
    }

    // registry ST3: what was looked at before somebody missed something says nothing about it
    #[tokio::test]
    async fn who_asks_during_a_look_shares_the_next_one() {
        let counted = Arc::new(Counted::default());
        let ask = |seen| tokio::spawn(Arc::clone(&counted).ask(Duration::ZERO, seen));
        let first = ask(Ok(()));
        tokio::task::yield_now().await;
        let later: Vec<_> = (0..50).map(|_| ask(Err(Trouble::Wrong))).collect();
        tokio::task::yield_now().await;
        assert_eq!(counted.count.load(Ordering::SeqCst), 1);
        counted.go_on.notify_one();
        assert_eq!(first.await.unwrap(), Ok(()));
        counted.go_on.notify_one();
        for asked in later {
            assert_eq!(asked.await.unwrap(), Err(Trouble::Wrong));
        }
        assert_eq!(counted.count.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_look_that_is_given_up_keeps_nobody_waiting() {
        let counted = Arc::new(Counted::default());
        let given_up = tokio::spawn(Arc::clone(&counted).ask(Duration::ZERO, Ok(())));
        tokio::task::yield_now().await;
        let next = tokio::spawn(Arc::clone(&counted).ask(Duration::ZERO, Ok(())));
        tokio::task::yield_now().await;
        given_up.abort();
        assert!(given_up.await.unwrap_err().is_cancelled());
        counted.go_on.notify_one();
        assert_eq!(next.await.unwrap(), Ok(()));
        assert_eq!(counted.count.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_was_right_of_late_is_believed() {
        let (counted, age) = (Arc::new(Counted::default()), Duration::from_secs(1));
        let ask = async |seen| {
            counted.go_on.notify_one();
            Arc::clone(&counted).ask(age, seen).await
        };
        assert_eq!(ask(Err(Trouble::Silent)).await, Err(Trouble::Silent));
        assert_eq!(ask(Ok(())).await, Ok(()));
        assert_eq!(ask(Err(Trouble::Wrong)).await, Ok(()));
        tokio::time::advance(age).await;
        assert_eq!(ask(Err(Trouble::Wrong)).await, Err(Trouble::Wrong));
    }
}
