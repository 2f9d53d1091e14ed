//! What a socket knows about the requests on it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use http::Version;

/// The requests of one connection.
#[derive(Debug, Default)]
pub struct Progress {
    begun: AtomicBool,
    multiplexed: AtomicBool,
    running: AtomicUsize,
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Running(Arc<Progress>);

impl Progress {
    /// A request's header is complete.
    pub fn begin(self: &Arc<Self>, version: Version) -> Running {
        self.begun.store(true, Ordering::Relaxed);
        self.multiplexed.store(version == Version::HTTP_2, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }

    /// Whether there has been a request.
    pub fn begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether what comes next can only be the header of a request. HTTP/2 has other things to say, and
    /// notices by itself who is silent.
    pub fn expects_header(&self) -> bool {
        self.running.load(Ordering::Relaxed) == 0 && !self.multiplexed.load(Ordering::Relaxed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
