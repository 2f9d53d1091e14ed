//! A store that is gone with the process.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::{Bytes, BytesMut};
use futures::{FutureExt, StreamExt, future, stream};

use crate::storage::{
    backend::{Answer, Backend, ByteStream},
    error::StorageError,
    key::checked,
};

/// Objects in a map.
#[derive(Default)]
pub struct Memory {
    objects: Mutex<BTreeMap<String, Bytes>>,
}

impl Memory {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `name` makes of the rest of each key below the prefix.
    fn names(&self, prefix: &str, name: impl Fn(&str) -> Option<String>) -> BTreeSet<String> {
        let folder = format!("{prefix}/");
        let objects = self.objects();
        let below = objects.range(folder.clone()..).map_while(|(key, _)| key.strip_prefix(&folder));
        below.filter_map(name).collect()
    }

    fn append_now(&self, key: &str, offset: u64, bytes: &Bytes) -> Result<(), StorageError> {
        let mut objects = self.objects();
        let object = objects.remove(key).unwrap_or_default();
        let ends_there = object.len() as u64 == offset;
        let mut object = object.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        if ends_there {
            object.extend_from_slice(bytes);
        }
        if ends_there || !object.is_empty() {
            objects.insert(key.to_owned(), object.freeze());
        }
        if ends_there { Ok(()) } else { Err(StorageError::Conflict { key: key.to_owned(), offset }) }
    }

    fn commit_now(&self, from: &str, to: &str, size: u64) -> Result<(), StorageError> {
        let mut objects = self.objects();
        match objects.get(from).map(|object| object.len() as u64) {
            None => return Err(StorageError::Missing { key: from.to_owned() }),
            Some(now) if now != size => {
                return Err(StorageError::Conflict { key: from.to_owned(), offset: size });
            }
            Some(_) => {}
        }
        if let Some(object) = objects.remove(from) {
            objects.insert(to.to_owned(), object);
        }
        Ok(())
    }

    fn delete_now(&self, key: &str) -> bool {
        let folder = format!("{key}/");
        let mut objects = self.objects();
        let before = objects.len();
        objects.retain(|name, _| name != key && !name.starts_with(&folder));
        objects.len() < before
    }
}

fn now<'a, T: Send + 'a>(value: Result<T, StorageError>) -> Answer<'a, T> {
    future::ready(value).boxed()
}

impl Backend for Memory {
    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        now(checked(key).map(|key| self.objects().get(key).map(|object| object.len() as u64)))
    }

    fn read<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Bytes>> {
        now(checked(key).map(|key| self.objects().get(key).cloned()))
    }

    fn stream<'a>(&'a self, key: &'a str, range: Range<u64>) -> Answer<'a, Option<ByteStream>> {
        let part = |object: Bytes| {
            let end = (range.end as usize).min(object.len());
            let part = object.slice((range.start as usize).min(end)..end);
            stream::iter((!part.is_empty()).then_some(Ok(part))).boxed()
        };
        now(checked(key).map(|key| self.objects().get(key).cloned().map(part)))
    }

    fn put<'a>(&'a self, key: &'a str, bytes: Bytes) -> Answer<'a, ()> {
        now(checked(key).map(|key| drop(self.objects().insert(key.to_owned(), bytes))))
    }

    fn append<'a>(&'a self, key: &'a str, offset: u64, bytes: Bytes) -> Answer<'a, ()> {
        now(checked(key).and_then(|key| self.append_now(key, offset, &bytes)))
    }

    fn sync<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        now(checked(key).map(drop))
    }

    fn commit<'a>(&'a self, from: &'a str, to: &'a str, size: u64) -> Answer<'a, ()> {
        now(checked(from).and_then(|from| self.commit_now(from, checked(to)?, size)))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<String>> {
        let first = |rest: &str| rest.split('/').next().map(str::to_owned);
        now(checked(prefix).map(|prefix| self.names(prefix, first).into_iter().collect()))
    }

    fn folders<'a>(&'a self, prefix: &'a str, after: &'a str, most: usize) -> Answer<'a, Vec<String>> {
        let folder = |rest: &str| Some(rest.split_once('/')?.0.to_owned());
        let names = checked(prefix).map(|prefix| self.names(prefix, folder).into_iter());
        now(names.map(|names| names.filter(|name| name.as_str() > after).take(most).collect()))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        now(checked(key).map(|key| self.delete_now(key)))
    }
}
