//! How long the server waits for those at the other end.

use std::time::Duration;

/// What each kind of waiting may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A sender that is silent for longer is cut off.
    pub silence: Duration,
    /// A form with which somebody logs in is not waited for longer: whoever sends it is not known yet, and it fits into a
    /// few packets.
    pub form: Duration,
    /// A reader that takes nothing for longer is cut off.
    pub stall: Duration,
    /// The same for one stream of HTTP/2. It is longer, because a reader says that it has read something only when half
    /// of its window is free, and what waits here is up to 256 KiB: one with a window of 6 MiB has to read 6 KiB a
    /// second.
    pub stream_stall: Duration,
    /// How long a connection may rest between two requests, of HTTP/2 up to twice as long; longer than clients and proxies
    /// keep it, so that none of them writes into one that is being closed. A header that has begun has less: see
    /// [`Patient`](crate::http::patient::Patient).
    pub idle: Duration,
    /// How long running requests may take to end when the server does.
    pub drain: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(120),
            form: Duration::from_secs(20),
            stall: Duration::from_secs(120),
            stream_stall: Duration::from_secs(600),
            idle: Duration::from_secs(120),
            drain: Duration::from_secs(60),
        }
    }
}

impl Patience {
    /// As always, with this time for running requests.
    pub fn draining(drain: Duration) -> Self {
        Self { drain, ..Self::default() }
    }
}
