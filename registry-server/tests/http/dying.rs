//! A store under a server that dies at one of its writes.

use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use registry_server::storage::backend::{Answer, Backend};
use tokio::sync::Semaphore;

use crate::{
    faults::below,
    hooked::{Call, Hook, Hooked},
};

/// What has come of the last write of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    Undone,
    /// All of it, and nobody heard.
    Done,
    /// A part of it, where a file system can do a part: some bytes of an append, one of the files of a folder.
    Torn,
    /// All of it; and the machine died, too: what was appended and not synced has kept its length and nothing else, and
    /// a file of which nothing was synced has not kept its name.
    PowerLost,
}

impl Fate {
    /// All that can come of such a call.
    pub fn of(call: Call) -> &'static [Self] {
        match call {
            Call::Append | Call::Delete => &[Self::Undone, Self::Done, Self::Torn, Self::PowerLost],
            _ => &[Self::Undone, Self::Done, Self::PowerLost],
        }
    }
}

impl Call {
    fn is_write(self) -> bool {
        matches!(self, Self::Put | Self::Append | Self::Sync | Self::Commit | Self::Delete)
    }
}

/// Counts the writes, and answers no more from the one on at which the process dies.
pub struct Dying {
    store: Arc<dyn Backend>,
    at: usize,
    fate: Fate,
    writes: Mutex<Vec<(Call, String)>>,
    /// How much of what is appended to is on the disk.
    synced: Mutex<HashMap<String, usize>>,
    died: Semaphore,
}

impl Dying {
    /// A process that dies at the write of this number, the first being 0.
    pub fn on(store: &Arc<dyn Backend>, at: usize, fate: Fate) -> Arc<Hooked<Self>> {
        let hook = Self {
            store: Arc::clone(store),
            at,
            fate,
            writes: Mutex::default(),
            synced: Mutex::default(),
            died: Semaphore::new(0),
        };
        Arc::new(Hooked { store: Arc::clone(store), hook })
    }

    /// What it has written, and what was to be the next thing.
    pub fn writes(&self) -> Vec<(Call, String)> {
        self.writes.lock().unwrap().clone()
    }

    /// Returns once it is dead.
    pub async fn died(&self) {
        drop(self.died.acquire().await.unwrap());
    }

    fn is_dead(&self) -> bool {
        self.died.available_permits() > 0
    }

    async fn die(&self) {
        self.died.add_permits(1);
        pending().await
    }

    async fn cut(&self, key: &str, kept: usize, filled: usize) {
        let bytes = self.store.read(key).await.unwrap().unwrap();
        let zeros = vec![0; filled - kept];
        self.store.put(key, Bytes::from([&bytes[..kept], &zeros].concat())).await.unwrap();
    }

    async fn lose_power(&self) {
        let synced = self.synced.lock().unwrap().clone();
        for (key, kept) in synced {
            match self.size(&key).await {
                size if size > kept && kept > 0 => self.cut(&key, kept, size).await,
                size if size > kept => drop(self.store.delete(&key).await.unwrap()),
                _ => {}
            }
        }
    }

    async fn size(&self, key: &str) -> usize {
        self.store.stat(key).await.unwrap().unwrap_or_default() as usize
    }

    /// Of what is being removed, one object goes.
    async fn remove_one(&self, key: &str) {
        if let Some((one, _)) = below(&*self.store, key).await.first() {
            self.store.delete(one).await.unwrap();
        }
    }

    /// Of what is appended to, as much is safe as was synced.
    async fn note(&self, call: Call, key: &str) {
        let size = self.size(key).await;
        let mut synced = self.synced.lock().unwrap();
        match call {
            Call::Append => drop(synced.entry(key.to_owned()).or_default()),
            Call::Sync => drop(synced.insert(key.to_owned(), size)),
            _ => {}
        }
    }
}

impl Hook for Dying {
    fn before<'a>(&'a self, call: Call, key: &'a str) -> Answer<'a, ()> {
        async move {
            if self.is_dead() {
                pending::<()>().await;
            }
            if !call.is_write() {
                return Ok(());
            }
            let number = {
                let mut writes = self.writes.lock().unwrap();
                writes.push((call, key.to_owned()));
                writes.len() - 1
            };
            let torn = self.fate == Fate::Torn;
            if number == self.at && torn && call == Call::Delete {
                self.remove_one(key).await;
            }
            if number == self.at && (self.fate == Fate::Undone || torn && call != Call::Append) {
                self.die().await;
            }
            Ok(())
        }
        .boxed()
    }

    fn after<'a>(&'a self, call: Call, key: &'a str) -> BoxFuture<'a, ()> {
        async move {
            if self.is_dead() {
                pending::<()>().await;
            }
            self.note(call, key).await;
            let last = self.writes.lock().unwrap().len() == self.at + 1;
            if !(last && call.is_write()) {
                return;
            }
            match self.fate {
                Fate::Torn => {
                    let left = self.size(key).await - 2;
                    self.cut(key, left, left).await;
                }
                Fate::PowerLost => self.lose_power().await,
                Fate::Undone | Fate::Done => {}
            }
            self.die().await;
        }
        .boxed()
    }
}
