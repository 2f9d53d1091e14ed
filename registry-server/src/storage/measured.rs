//! A store whose calls and failures are counted.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::{FutureExt, StreamExt};

use crate::{
    metrics,
    storage::{
        backend::{Answer, Backend, ByteStream, Space},
        error::StorageError,
    },
};

/// The store behind the counters.
pub struct Measured(pub Arc<dyn Backend>);

/// Why it counts as a failure. What a writer hears who was late, or what nobody can ask for, is none.
fn reason(error: &StorageError) -> Option<&'static str> {
    match error {
        StorageError::NoSpace { .. } => Some("no_space"),
        StorageError::Unavailable { .. } => Some("unavailable"),
        StorageError::Io { .. } | StorageError::Unfit(_) => Some("io"),
        StorageError::Key { .. }
        | StorageError::Conflict { .. }
        | StorageError::Missing { .. }
        | StorageError::TooManyPieces { .. } => None,
    }
}

fn judge<T>(call: &'static str, answer: &Result<T, StorageError>) {
    if let Some(reason) = answer.as_ref().err().and_then(reason) {
        metrics::store_failed(call, reason);
    }
}

fn counted<'a, T: 'a>(call: &'static str, answer: Answer<'a, T>) -> Answer<'a, T> {
    metrics::store_called(call);
    answer.inspect(move |answer| judge(call, answer)).boxed()
}

/// Content may fail on its way out.
fn watched<'a>(call: &'static str, answer: Answer<'a, Option<ByteStream>>) -> Answer<'a, Option<ByteStream>> {
    let inspect = move |stream: ByteStream| stream.inspect(move |part| judge(call, part)).boxed();
    counted(call, answer.map(move |answer| Ok(answer?.map(inspect))).boxed())
}

impl Backend for Measured {
    fn there(&self) -> Answer<'_, ()> {
        self.0.there()
    }

    fn space(&self) -> Answer<'_, Option<Space>> {
        self.0.space()
    }

    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        counted("stat", self.0.stat(key))
    }

    fn read<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Bytes>> {
        counted("read", self.0.read(key))
    }

    fn url<'a>(&'a self, key: &'a str, valid: Duration) -> Answer<'a, Option<String>> {
        self.0.url(key, valid)
    }

    fn stream<'a>(&'a self, key: &'a str, range: Range<u64>) -> Answer<'a, Option<ByteStream>> {
        watched("stream", self.0.stream(key, range))
    }

    fn put<'a>(&'a self, key: &'a str, bytes: Bytes) -> Answer<'a, ()> {
        counted("put", self.0.put(key, bytes))
    }

    fn append<'a>(&'a self, key: &'a str, offset: u64, bytes: Bytes) -> Answer<'a, ()> {
        counted("append", self.0.append(key, offset, bytes))
    }

    fn sync<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        counted("sync", self.0.sync(key))
    }

    fn appended<'a>(&'a self, key: &'a str, known: u64) -> Answer<'a, Option<u64>> {
        counted("appended", self.0.appended(key, known))
    }

    fn stream_appended<'a>(&'a self, key: &'a str, range: Range<u64>) -> Answer<'a, Option<ByteStream>> {
        watched("stream_appended", self.0.stream_appended(key, range))
    }

    fn piece(&self) -> usize {
        self.0.piece()
    }

    fn commit<'a>(&'a self, from: &'a str, to: &'a str, size: u64) -> Answer<'a, ()> {
        counted("commit", self.0.commit(from, to, size))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<String>> {
        counted("list", self.0.list(prefix))
    }

    fn folders<'a>(&'a self, prefix: &'a str, after: &'a str, most: usize) -> Answer<'a, Vec<String>> {
        counted("folders", self.0.folders(prefix, after, most))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        counted("delete", self.0.delete(key))
    }

    fn remove_left<'a>(&'a self, prefix: &'a str, before: SystemTime, dry_run: bool) -> Answer<'a, u64> {
        counted("remove_left", self.0.remove_left(prefix, before, dry_run))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    // registry J9 OB3
    #[test]
    fn a_full_store_is_told_from_a_late_writer() {
        let key = || "k".to_owned();
        let full = StorageError::from_io("k", io::ErrorKind::StorageFull.into());
        assert_eq!(reason(&full), Some("no_space"));
        assert_eq!(reason(&StorageError::unavailable("k", "gone")), Some("unavailable"));
        assert_eq!(reason(&StorageError::from_io("k", io::ErrorKind::Other.into())), Some("io"));
        for late in [StorageError::Conflict { key: key(), offset: 0 }, StorageError::Missing { key: key() }] {
            assert_eq!(reason(&late), None);
        }
    }
}
