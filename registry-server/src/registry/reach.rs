//! How far a question goes that is about no repository in particular.

use std::time::Duration;

/// Where it ends when nothing was found.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Repositories that are looked at for a blob that a client wants and cannot place. Uploading is the way out.
    pub mounts: usize,
    /// Repositories whose name is looked at by a search.
    pub searches: usize,
    /// Folders that are gone through, whosever they are: each costs a question to the store.
    pub folders: usize,
    /// How long a mount may look: a push asks once for each of its blobs, and its client waits.
    pub patience: Duration,
}

impl Default for Reach {
    fn default() -> Self {
        Self { mounts: 1_000, searches: 10_000, folders: 100_000, patience: Duration::from_secs(5) }
    }
}
