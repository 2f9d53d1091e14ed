//! Whether the process still does what it is there for: the candidate for the lease asks every two seconds, also in a
//! standby.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// A candidate that has not asked for this long hangs.
const HANGS: Duration = Duration::from_secs(60);

/// The last time that the API server was asked, and whether it ever answered.
#[derive(Debug)]
pub struct Pulse(Mutex<(Instant, bool)>);

impl Default for Pulse {
    fn default() -> Self {
        Self(Mutex::new((Instant::now(), false)))
    }
}

impl Pulse {
    /// The API server was asked; `answered` says whether it answered.
    pub fn beat(&self, answered: bool) {
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *last = (Instant::now(), last.1 || answered);
    }

    /// The process does not hang.
    pub fn alive(&self) -> bool {
        self.last().0.elapsed() < HANGS
    }

    /// The API server has answered once: address and rights are as they should be.
    pub fn ready(&self) -> bool {
        self.last().1
    }

    fn last(&self) -> (Instant, bool) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_once_the_api_server_has_answered() {
        let pulse = Pulse::default();
        pulse.beat(false);
        assert!(pulse.alive() && !pulse.ready());
        pulse.beat(true);
        pulse.beat(false);
        assert!(pulse.ready());
    }
}
