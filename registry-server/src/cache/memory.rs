//! A cache in this process.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use moka::future::Cache;

use crate::cache::key_value::KeyValue;

/// Values with the moment when they expire.
pub struct Memory {
    values: Cache<String, (Bytes, Instant)>,
}

impl Memory {
    /// A cache whose keys and values have at most `most` bytes together.
    pub fn new(most: u64) -> Self {
        let weigh = |key: &String, (value, _): &(Bytes, Instant)| {
            u32::try_from(key.len() + value.len()).unwrap_or(u32::MAX)
        };
        Self { values: Cache::builder().max_capacity(most).weigher(weigh).build() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn values_take_no_more_bytes_than_allowed() {
        let cache = Memory::new(10_000);
        for i in 0..100 {
            cache.set(&format!("key{i}"), Bytes::from(vec![0; 1_000]), Duration::from_secs(60)).await;
        }
        cache.values.run_pending_tasks().await;
        assert!((1..=10_000).contains(&cache.values.weighted_size()), "{}", cache.values.weighted_size());
        let lone = Memory::new(10);
        lone.set("key", Bytes::from(vec![0; 1_000]), Duration::from_secs(60)).await;
        lone.values.run_pending_tasks().await;
        assert_eq!(lone.get("key").await, None);
    }
}
