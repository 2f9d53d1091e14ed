//! Whether the process still does what it is there for: the candidate for the lease asks every two seconds, also in a
//! standby; the watches of a leader are opened anew every few minutes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::Request;
use kube::client::Body;

/// A candidate that has not asked for this long hangs.
const HANGS: Duration = Duration::from_secs(60);
/// The API server ends a watch after 290 s, and kube opens the next: a leader that opened none in twice that time and
/// a margin sees nothing any more.
const BLIND: Duration = Duration::from_secs(600);

/// When the API server was asked last, and what for.
#[derive(Debug)]
pub struct Pulse(Mutex<Beats>);

#[derive(Clone, Copy, Debug)]
struct Beats {
    asked: Instant,
    answered: bool,
    /// Of a leader only.
    watched: Option<Instant>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self(Mutex::new(Beats { asked: Instant::now(), answered: false, watched: None }))
    }
}

impl Pulse {
    /// The API server was asked for the lease; `answered` says whether it answered.
    pub fn beat(&self, answered: bool) {
        self.change(|beats| {
            beats.asked = Instant::now();
            beats.answered |= answered;
        });
    }

    /// The process leads from now on. Its controller's client has to tell of each of its requests: a watch was opened.
    pub fn watching(self: &Arc<Self>) -> impl Fn(Request<Body>) -> Request<Body> + Clone + use<> {
        // A leader whose first watch never opens is as blind as one whose watches ended.
        self.change(|beats| beats.watched = Some(Instant::now()));
        let pulse = Arc::clone(self);
        move |request| {
            let query = request.uri().query().unwrap_or_default();
            if query.split('&').any(|pair| pair.strip_prefix("watch=").is_some_and(|on| on != "false")) {
                pulse.change(|beats| beats.watched = Some(Instant::now()));
            }
            request
        }
    }

    /// What keeps the process from its work, so that only a restart helps.
    pub fn trouble(&self) -> Option<&'static str> {
        self.beats().trouble(Instant::now())
    }

    /// The API server has answered once.
    pub fn ready(&self) -> bool {
        self.beats().answered
    }

    fn beats(&self) -> Beats {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Beats)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Beats {
    fn trouble(self, now: Instant) -> Option<&'static str> {
        if now.duration_since(self.asked) >= HANGS {
            return Some("the lease has not been asked for in a minute");
        }
        let blind = self.watched.is_some_and(|watched| now.duration_since(watched) >= BLIND);
        blind.then_some("no watch was opened in ten minutes")
    }
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
        let pulse = Arc::new(Pulse::default());
        let later = |seconds| Instant::now() + Duration::from_secs(seconds);
        assert_eq!(pulse.beats().trouble(later(59)), None);
        assert!(pulse.beats().trouble(later(61)).is_some_and(|said| said.contains("lease")));

        let asks_later = |seconds| Beats { asked: later(seconds), ..pulse.beats() }.trouble(later(seconds));
        assert_eq!(asks_later(700), None, "a standby has no watches");
        let tell = pulse.watching();
        assert!(asks_later(601).is_some(), "a leader opens watches");
        let request = |uri: &str| Request::builder().uri(uri).body(Body::empty()).unwrap();
        let before = pulse.beats().watched;
        tell(request("/api/v1/secrets?limit=500"));
        assert_eq!(pulse.beats().watched, before, "a list is no watch");
        tell(request("/api/v1/secrets?&watch=true&timeoutSeconds=290"));
        assert_eq!(asks_later(590), None);
        assert!(asks_later(601).is_some_and(|said| said.contains("watch")));
    }
}
