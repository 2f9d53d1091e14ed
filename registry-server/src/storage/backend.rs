//! What every store can do. As small as the poorest of them allows.

use std::{
    future::ready,
    ops::Range,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture, stream::BoxStream};

use crate::storage::error::StorageError;

/// Result of a call to the store.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StorageError>>;

/// Content on its way out.
pub type ByteStream = BoxStream<'static, Result<Bytes, StorageError>>;

/// How much fits into a store, and how much is in it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What we could have if nothing else were there.
    pub capacity: u64,
    /// What is taken, by whomever.
    pub used: u64,
}

/// A store of bytes under `/`-separated keys. What [`checked`](crate::storage::key::checked) refuses, it refuses:
/// nothing outside is read or written.
pub trait Backend: Send + Sync + 'static {
    /// Whether there is a store at all: without one, nothing would be found in it.
    fn there(&self) -> Answer<'_, ()> {
        ready(Ok(())).boxed()
    }
    /// How much room there is; nothing where there is no end to it that one could ask for.
    fn space(&self) -> Answer<'_, Option<Space>> {
        ready(Ok(None)).boxed()
    }
    /// Size of the object, if it is there.
    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>>;
    /// The whole object, if it is there: for small ones.
    fn read<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Bytes>>;
    /// URL at which anybody who has it can read the object for so long, whether it is there or not; nothing where only
    /// the server reaches the store.
    fn url<'a>(&'a self, _key: &'a str, _valid: Duration) -> Answer<'a, Option<String>> {
        ready(Ok(None)).boxed()
    }
    /// A part of the object, if it is there. The range lies within its size.
    fn stream<'a>(&'a self, key: &'a str, range: Range<u64>) -> Answer<'a, Option<ByteStream>>;
    /// Writes the object as a whole: readers see the old or the new one, and it survives a crash.
    fn put<'a>(&'a self, key: &'a str, bytes: Bytes) -> Answer<'a, ()>;
    /// Appends to the object, which must end at `offset`; at 0 it may be missing. An object that is appended to
    /// is asked about by [`Backend::appended`] and [`Backend::stream_appended`]: a store may keep it in pieces.
    fn append<'a>(&'a self, key: &'a str, offset: u64, bytes: Bytes) -> Answer<'a, ()>;
    /// What has been appended survives a crash from now on. An append alone does not promise that.
    fn sync<'a>(&'a self, _key: &'a str) -> Answer<'a, ()> {
        ready(Ok(())).boxed()
    }
    /// Size of an object that is appended to, if it is there. It had `_known` bytes once, or 0 if nobody knows: a
    /// store of pieces looks from there.
    fn appended<'a>(&'a self, key: &'a str, _known: u64) -> Answer<'a, Option<u64>> {
        self.stat(key)
    }
    /// A part of an object that is appended to, if it is there.
    fn stream_appended<'a>(&'a self, key: &'a str, range: Range<u64>) -> Answer<'a, Option<ByteStream>> {
        self.stream(key, range)
    }
    /// How many bytes an append should have, unless fewer are left.
    fn piece(&self) -> usize {
        1 << 20
    }
    /// Moves an object that was appended to, of `size` bytes, in one step, for good. Whatever was at `to` is
    /// replaced.
    fn commit<'a>(&'a self, from: &'a str, to: &'a str, size: u64) -> Answer<'a, ()>;
    /// Names directly below the prefix, sorted; objects and folders alike.
    fn list<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<String>>;
    /// The first `most` folders directly below the prefix whose names come after `after`, in the order of their bytes.
    fn folders<'a>(&'a self, prefix: &'a str, after: &'a str, most: usize) -> Answer<'a, Vec<String>>;
    /// Removes the object or everything below the prefix; says whether there was anything.
    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool>;
    /// Removes what writes of processes that died have left below the prefix, and nobody sees, if nothing was written
    /// to it since `before`; or counts it only. A store that writes in one step has none.
    fn remove_left<'a>(&'a self, _prefix: &'a str, _before: SystemTime, _dry_run: bool) -> Answer<'a, u64> {
        ready(Ok(0)).boxed()
    }
}
