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
    asked: AtomicUsize,
    answered: AtomicUsize,
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Running(Arc<Progress>);

/// An answer, from its request until its last byte has been handed to the connection.
#[derive(Debug)]
pub struct Answering(Arc<Progress>);

impl Progress {
    /// A request has been handed over and is going to be answered.
    pub fn answering(self: &Arc<Self>) -> Answering {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    /// How many requests have been handed over.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether every request that was handed over has been answered to the end.
    pub fn all_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed) == self.asked()
    }

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

    /// Whether it speaks HTTP/2.
    pub fn multiplexed(&self) -> bool {
        self.multiplexed.load(Ordering::Relaxed)
    }

    /// Whether what comes next can only be the header of a request. HTTP/2 has other things to say, and
    /// notices by itself who is silent.
    pub fn expects_header(&self) -> bool {
        self.running.load(Ordering::Relaxed) == 0 && !self.multiplexed()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }
}
