//! A cache in this process.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use moka::future::Cache;

use crate::cache::key_value::KeyValue;

const MOST_BYTES: u64 = 64 << 20;

/// Values with the moment when they expire.
pub struct Memory {
    values: Cache<String, (Bytes, Instant)>,
}

impl Default for Memory {
    fn default() -> Self {
        let weigh = |key: &String, (value, _): &(Bytes, Instant)| {
            u32::try_from(key.len() + value.len()).unwrap_or(u32::MAX)
        };
        Self { values: Cache::builder().max_capacity(MOST_BYTES).weigher(weigh).build() }
    }
}

impl KeyValue for Memory {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Bytes>> {
        async move {
            let found = self.values.get(key).await;
            found.filter(|(_, until)| Instant::now() < *until).map(|(value, _)| value)
        }
        .boxed()
    }

    fn set<'a>(&'a self, key: &'a str, value: Bytes, ttl: Duration) -> BoxFuture<'a, ()> {
        self.values.insert(key.to_owned(), (value, Instant::now() + ttl)).boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        self.values.invalidate(key).boxed()
    }
}
