//! Requests that go on while something happens: none of them may fail.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use anyhow::{Result, bail, ensure};

/// One request after the other, until it is finished.
pub struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(usize, Vec<String>)>,
}

impl Load {
    /// Starts calling `request`.
    pub fn start(request: impl Fn() -> Result<()> + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut made, mut failures) = (0, Vec::new());
            while !told.load(Ordering::Relaxed) {
                made += 1;
                failures.extend(request().err().map(|error| format!("request {made}: {error:#}")));
            }
            (made, failures)
        });
        Self { stop, thread }
    }

    /// Ends the load; fails when a request did, or when there were none.
    pub fn finish(self) -> Result<usize> {
        self.stop.store(true, Ordering::Relaxed);
        let Ok((made, failures)) = self.thread.join() else { bail!("the load panicked") };
        ensure!(
            failures.is_empty(),
            "{} of {made} requests failed: {:#?}",
            failures.len(),
            &failures[..failures.len().min(3)]
        );
        ensure!(made > 0, "no request was made");
        Ok(made)
    }
}
