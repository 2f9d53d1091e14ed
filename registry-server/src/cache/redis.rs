//! A cache in a Redis server. Slow or absent, it costs one time-out per breaker period and nothing else.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use redis::{
    Cmd, FromRedisValue,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{
    cache::{
        key_value::KeyValue,
        redis_address::{Address, Failure},
    },
    metrics,
};

const PATIENCE: Duration = Duration::from_millis(250);
/// How long a server that failed is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// What a server says that is alive and takes a value not.
const REFUSALS: [&str; 4] = ["OOM", "READONLY", "NOPERM", "MISCONF"];

#[derive(Default)]
struct State {
    manager: Option<ConnectionManager>,
    paused_until: Option<Instant>,
    up: Option<bool>,
    refuses: bool,
}

/// A Redis server as a cache.
pub struct Redis {
    address: Address,
    state: Mutex<State>,
}

impl Redis {
    /// A cache in the server at `address`, which is not spoken to before the first value.
    pub fn new(address: Address) -> Self {
        Self { address, state: Mutex::default() }
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn call<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        if self.with_state(|s| s.paused_until.is_some_and(|until| Instant::now() < until)) {
            return None;
        }
        let answer = tokio::time::timeout(PATIENCE, self.try_call(command)).await;
        match answer.unwrap_or(Err(Failure::Slow)) {
            Ok(value) => {
                self.turned(true, "");
                Some(value)
            }
            Err(Failure::Redis(error)) if error.code().is_some_and(|code| REFUSALS.contains(&code)) => {
                self.refused(error.code());
                None
            }
            Err(error) => {
                self.with_state(|s| (s.manager, s.paused_until) = (None, Some(Instant::now() + PAUSE)));
                self.turned(false, &error.to_string());
                None
            }
        }
    }

    async fn try_call<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failure> {
        let mut manager = match self.with_state(|s| s.manager.clone()) {
            Some(manager) => manager,
            None => {
                let manager = self.connect().await?;
                self.with_state(|s| s.manager = Some(manager.clone()));
                manager
            }
        };
        Ok(command.query_async(&mut manager).await?)
    }

    async fn connect(&self) -> Result<ConnectionManager, Failure> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_response_timeout(Some(PATIENCE))
            .set_connection_timeout(Some(PATIENCE));
        Ok(ConnectionManager::new_lazy_with_config(self.address.client().await?, config)?)
    }

    /// One line per change.
    fn turned(&self, up: bool, reason: &str) {
        if self.with_state(|s| s.up.replace(up)) == Some(up) {
            return;
        }
        metrics::redis_up(up);
        if up {
            tracing::info!("redis answers");
        } else {
            tracing::warn!(reason, "redis does not answer; going on without it");
        }
    }
}

impl Redis {
    /// One warning when it takes no more values, until it has taken one again.
    fn refused(&self, code: Option<&str>) {
        if code.is_some() {
            metrics::redis_refused();
        }
        let before = self.with_state(|s| std::mem::replace(&mut s.refuses, code.is_some()));
        match code.filter(|_| !before) {
            Some("OOM") => {
                tracing::warn!("redis is full and evicts nothing: set maxmemory-policy allkeys-lru");
            }
            Some(code) => tracing::warn!(code, "redis answers and takes no values: is it a replica?"),
            None => {}
        }
    }
}

impl KeyValue for Redis {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Bytes>> {
        async move {
            let found: Option<Vec<u8>> = self.call(redis::cmd("GET").arg(key)).await?;
            found.map(Bytes::from)
        }
        .boxed()
    }

    fn set<'a>(&'a self, key: &'a str, value: Bytes, ttl: Duration) -> BoxFuture<'a, ()> {
        async move {
            let mut command = redis::cmd("SET");
            command.arg(key).arg(&value[..]).arg("EX").arg(ttl.as_secs().max(1));
            if self.call::<()>(&command).await.is_some() {
                self.refused(None);
            }
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, ()> {
        async move {
            self.call::<()>(redis::cmd("DEL").arg(key)).await;
        }
        .boxed()
    }
}
