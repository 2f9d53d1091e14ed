//! A store with somebody who hears of every call before it is done, and after.

use std::{future::ready, ops::Range, sync::Arc};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use registry_server::storage::{
    backend::{Answer, Backend, ByteStream},
    memory::Memory,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Stat,
    Read,
    Stream,
    Put,
    Append,
    Sync,
    Commit,
    List,
    Folders,
    Delete,
}

pub trait Hook: Send + Sync + 'static {
    /// Done before the call, which is left out after an error. A commit has the key of its target.
    fn before<'a>(&'a self, call: Call, key: &'a str) -> Answer<'a, ()>;

    /// Heard of before the caller hears how it went.
    fn after<'a>(&'a self, _call: Call, _key: &'a str) -> BoxFuture<'a, ()> {
        ready(()).boxed()
    }

    /// What becomes of content on its way out.
    fn content(&self, stream: ByteStream) -> ByteStream {
        stream
    }
}

/// The store and the hook.
pub struct Hooked<H> {
    pub store: Arc<dyn Backend>,
    pub hook: H,
}

impl<H: Default> Default for Hooked<H> {
    fn default() -> Self {
        Self::in_memory(H::default())
    }
}

impl<H> Hooked<H> {
    pub fn in_memory(hook: H) -> Self {
        Self { store: Arc::new(Memory::default()), hook }
    }
}

impl<H: Hook> Hooked<H> {
    fn then<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        key: &'a str,
        done: impl FnOnce() -> Answer<'a, T> + Send + 'a,
    ) -> Answer<'a, T> {
        async move {
            self.hook.before(call, key).await?;
            let answer = done().await;
            self.hook.after(call, key).await;
            answer
        }
        .boxed()
    }
}

impl<H: Hook> Backend for Hooked<H> {
    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        self.then(Call::Stat, key, move || self.store.stat(key))
    }

    fn read<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Bytes>> {
        self.then(Call::Read, key, move || self.store.read(key))
    }

    fn stream<'a>(&'a self, key: &'a str, range: Range<u64>) -> Answer<'a, Option<ByteStream>> {
        let read = self.then(Call::Stream, key, move || self.store.stream(key, range));
        async move { Ok(read.await?.map(|stream| self.hook.content(stream))) }.boxed()
    }

    fn put<'a>(&'a self, key: &'a str, bytes: Bytes) -> Answer<'a, ()> {
        self.then(Call::Put, key, move || self.store.put(key, bytes))
    }

    fn append<'a>(&'a self, key: &'a str, offset: u64, bytes: Bytes) -> Answer<'a, ()> {
        self.then(Call::Append, key, move || self.store.append(key, offset, bytes))
    }

    fn sync<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        self.then(Call::Sync, key, move || self.store.sync(key))
    }

    fn commit<'a>(&'a self, from: &'a str, to: &'a str, size: u64) -> Answer<'a, ()> {
        self.then(Call::Commit, to, move || self.store.commit(from, to, size))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<String>> {
        self.then(Call::List, prefix, move || self.store.list(prefix))
    }

    fn folders<'a>(&'a self, prefix: &'a str, after: &'a str, most: usize) -> Answer<'a, Vec<String>> {
        self.then(Call::Folders, prefix, move || self.store.folders(prefix, after, most))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        self.then(Call::Delete, key, move || self.store.delete(key))
    }
}
