//! What every cache can do.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

/// Values under keys that may vanish at any time. A failure is a miss.
pub trait KeyValue: Send + Sync {
    /// The value, if it is there.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Bytes>>;
    /// Keeps a value for at most `ttl`.
    fn set<'a>(&'a self, key: &'a str, value: Bytes, ttl: Duration) -> BoxFuture<'a, ()>;
    /// Forgets a value.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()>;
}
