//! How far a question goes that is about no repository in particular.

/// Where it ends when nothing was found.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Repositories that are looked at for a blob that a client wants and cannot place. Uploading is the way out.
    pub mounts: usize,
    /// Repositories whose name is looked at by a search.
    pub searches: usize,
    /// Folders that are gone through for a mount, whosever they are: each costs a question to the store, and a push
    /// asks once for each of its blobs.
    pub folders: usize,
}

impl Default for Reach {
    fn default() -> Self {
        Self { mounts: 1_000, searches: 10_000, folders: 10_000 }
    }
}
