//! Whether the process still does what it is there for: the candidate for the lease asks every two seconds, also in a
//! standby; the watches of a leader are opened anew every few minutes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::cluster::watches::{Recorded, Watches};

/// A candidate that has not asked for this long hangs.
const HANGS: Duration = Duration::from_secs(60);
/// The API server ends a watch after 290 s, and kube opens the next: a leader that opened none in twice that time and
/// a margin sees nothing any more.
const BLIND: Duration = Duration::from_secs(600);

/// When the API server was asked last, and what for.
#[derive(Debug, Default)]
pub struct Pulse {
    lease: Mutex<Lease>,
    watches: Arc<Watches>,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    asked: Instant,
    answered: bool,
}

impl Default for Lease {
    fn default() -> Self {
        Self { asked: Instant::now(), answered: false }
    }
}

impl Pulse {
    /// The API server was asked for the lease; `answered` says whether it answered.
    pub fn beat(&self, answered: bool) {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        lease.asked = Instant::now();
        lease.answered |= answered;
    }

    /// The process leads from now on; what its controller's client, which watches only, has around it.
    pub fn watching(&self) -> Recorded {
        // A leader whose first watch never opens is as blind as one whose watches ended.
        self.watches.begin();
        Recorded(Arc::clone(&self.watches))
    }

    /// The watches of a leader.
    pub fn watches(&self) -> &Watches {
        &self.watches
    }

    /// What keeps the process from its work, so that only a restart helps.
    pub fn trouble(&self) -> Option<&'static str> {
        trouble(self.lease().asked, self.watches.opened(), Instant::now())
    }

    /// The API server has answered once.
    pub fn ready(&self) -> bool {
        self.lease().answered
    }

    fn lease(&self) -> Lease {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn trouble(asked: Instant, opened: Option<Instant>, now: Instant) -> Option<&'static str> {
    if now.duration_since(asked) >= HANGS {
        return Some("the lease has not been asked for in a minute");
    }
    let blind = opened.is_some_and(|opened| now.duration_since(opened) >= BLIND);
    blind.then_some("no watch was opened in ten minutes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_once_the_api_server_has_answered() {
        let pulse = Pulse::default();
        pulse.beat(false);
        assert!(pulse.trouble().is_none() && !pulse.ready());
        pulse.beat(true);
        pulse.beat(false);
        assert!(pulse.ready());
    }

    // operator 64
    #[test]
    fn a_leader_without_watches_does_not_live() {
        let now = Instant::now();
        let later = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(trouble(now, None, later(59)), None);
        assert!(trouble(now, None, later(61)).is_some_and(|said| said.contains("lease")));
        assert_eq!(trouble(later(700), None, later(700)), None, "a standby has no watches");
        assert_eq!(trouble(later(599), Some(now), later(599)), None);
        assert!(trouble(later(601), Some(now), later(601)).is_some_and(|said| said.contains("watch")));

        let pulse = Pulse::default();
        assert_eq!(pulse.watches().opened(), None);
        let _client_has = pulse.watching();
        assert!(pulse.watches().opened().is_some(), "a leader has to open watches");
    }
}
