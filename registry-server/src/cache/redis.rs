//! A cache in a Redis server. Slow or absent, it costs one time-out per breaker period and nothing else.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use redis::{Cmd, FromRedisValue, RedisError};

use crate::{
    cache::{
        key_value::KeyValue,
        redis_address::{Address, Failure, Servers},
        redis_connection::{Connection, PATIENCE},
    },
    metrics,
};

/// How long a server that failed is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// How often the servers are asked although nobody needs them, while they answer and while they do not.
const LOOK: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A key that nobody writes.
const NOTHING: &str = "registry:1:look";

/// What a server says that is alive and takes a value not.
const REFUSALS: [&str; 4] = ["OOM", "READONLY", "NOPERM", "MISCONF"];

/// A connection that somebody has begun to open, and that everybody then uses.
type Opening = Shared<BoxFuture<'static, Result<Connection, Failure>>>;

#[derive(Default)]
struct State {
    opening: Option<Opening>,
    paused_until: Option<Instant>,
    up: Option<bool>,
    refuses: bool,
}

/// Redis as a cache.
pub struct Redis {
    address: Arc<Address>,
    state: Mutex<State>,
}

impl Redis {
    /// A cache in the servers at `address`, which are not spoken to before the first value or [look](Self::watch).
    pub fn new(address: Address) -> Self {
        Self { address: Arc::new(address), state: Mutex::default() }
    }

    /// Asks now and then, so that what the metric says is so also while no client does anything. Never ends.
    pub async fn watch(self: Arc<Self>) {
        loop {
            self.get(NOTHING).await;
            let up = self.with_state(|s| s.up == Some(true));
            tokio::time::sleep(if up { LOOK } else { LOOK_AGAIN }).await;
        }
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn call<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        if self.with_state(|s| s.paused_until.is_some_and(|until| Instant::now() < until)) {
            return None;
        }
        let opening = self.opening();
        let asked = async { opening.clone().await?.ask(command).await };
        match tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(Failure::Slow)) {
            Ok(value) => {
                self.turned(true, "");
                Some(value)
            }
            Err(Failure::Redis(error)) if self.is_refusal(&error) => {
                self.refused(error.code());
                None
            }
            Err(error) => {
                self.pause(&opening);
                self.turned(false, &error.to_string());
                None
            }
        }
    }

    /// The connection in use, or a new one. It is opened beside the requests, because finding a master or the nodes
    /// of a cluster may take longer than a request waits.
    fn opening(&self) -> Opening {
        self.with_state(|s| {
            if let Some(opening) = s.opening.as_ref().filter(|o| !matches!(o.peek(), Some(Err(_)))) {
                return opening.clone();
            }
            let address = Arc::clone(&self.address);
            let task = tokio::spawn(async move { Connection::open(&address).await });
            let opening = task.map(|ended| ended.unwrap_or(Err(Failure::BrokenOff))).boxed().shared();
            s.opening.insert(opening).clone()
        })
    }

    /// Leaves the servers alone for a while. A connection that has failed is not used again; one that is still being
    /// opened may get ready meanwhile.
    fn pause(&self, failed: &Opening) {
        self.with_state(|s| {
            s.paused_until = Some(Instant::now() + PAUSE);
            s.opening.take_if(|opening| opening.ptr_eq(failed) && opening.peek().is_some());
        });
    }

    /// Whether the connection is good although the server did not do it. A master that has become a replica is none:
    /// the Sentinels know another.
    fn is_refusal(&self, error: &RedisError) -> bool {
        let followed = matches!(self.address.servers, Servers::Sentinels { .. });
        error.code().is_some_and(|code| REFUSALS.contains(&code) && !(followed && code == "READONLY"))
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
