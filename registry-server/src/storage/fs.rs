//! Files below one folder.
//!
//! Appends and moves hold a lock on the file and check its length, so that two replicas that work on
//! one upload cannot mix their bytes. Everything that is answered has been synced, except for appends, which
//! [`Backend::sync`] is for.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use futures::{FutureExt, TryFutureExt};

use crate::storage::{
    backend::{Answer, Backend, ByteStream, Space},
    error::StorageError,
    fs_files, fs_stream, fs_temporary,
    key::checked,
};

/// A folder as a store.
pub struct Filesystem {
    root: Arc<Path>,
}

impl Filesystem {
    /// The store below `root`, which is made if it is missing.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs_files::make_root(root)?;
        Ok(Self::existing(root))
    }

    /// The store below `root`, which is left as it is.
    pub fn existing(root: &Path) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, key: &str) -> Result<PathBuf, StorageError> {
        Ok(self.root.join(checked(key)?))
    }

    /// Runs `work` off the async threads.
    fn blocking<'a, T: Send + 'static>(
        &'a self,
        key: &'a str,
        work: impl FnOnce(PathBuf) -> Result<T, StorageError> + Send + 'static,
    ) -> Answer<'a, T> {
        let path = self.path(key);
        async move {
            let path = path?;
            let done = tokio::task::spawn_blocking(move || work(path)).await;
            done.map_err(|e| StorageError::from_io(key, io::Error::other(e)))?
        }
        .boxed()
    }

    /// Looks at the store as a whole off the async threads.
    fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let root = Arc::clone(&self.root);
        let looking = tokio::task::spawn_blocking(move || look(&root));
        async {
            let seen = looking.await.unwrap_or_else(|e| Err(io::Error::other(e)));
            seen.map_err(|e| StorageError::from_io("the store", e))
        }
        .boxed()
    }

    /// Looks for something off the async threads. What is not found is missing only where there is a store: one
    /// that is gone has lost nothing.
    fn find<'a, T: Send + 'static>(
        &'a self,
        key: &'a str,
        look: impl FnOnce(&Path) -> io::Result<Option<T>> + Send + 'static,
    ) -> Answer<'a, Option<T>> {
        let (name, root) = (key.to_owned(), Arc::clone(&self.root));
        self.blocking(key, move |path| {
            let found = look(&path).and_then(|found| match found {
                None => fs_files::require_root(&root).map(|()| None),
                found => Ok(found),
            });
            found.map_err(|e| StorageError::from_io(&name, e))
        })
    }
}

impl Backend for Filesystem {
    fn there(&self) -> Answer<'_, ()> {
        self.look(fs_files::require_root)
    }

    fn space(&self) -> Answer<'_, Option<Space>> {
        self.look(|root| fs_files::space(root).map(Some))
    }

    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        self.find(key, |path| {
            let found = fs_files::optional(fs::metadata(path))?;
            Ok(found.filter(fs::Metadata::is_file).map(|m| m.len()))
        })
    }

    fn read<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Bytes>> {
        self.find(key, |path| Ok(fs_files::optional(fs::read(path))?.map(Bytes::from)))
    }

    fn stream<'a>(&'a self, key: &'a str, range: Range<u64>) -> Answer<'a, Option<ByteStream>> {
        let name = key.to_owned();
        self.find(key, |path| {
            Ok(fs_files::optional(File::open(path))?.map(|file| fs_stream::stream(name, file, range)))
        })
    }

    fn put<'a>(&'a self, key: &'a str, bytes: Bytes) -> Answer<'a, ()> {
        let (name, root) = (key.to_owned(), Arc::clone(&self.root));
        self.blocking(key, move |path| {
            fs_files::put(&root, &path, &bytes).map_err(|e| StorageError::from_io(&name, e))
        })
    }

    fn append<'a>(&'a self, key: &'a str, offset: u64, bytes: Bytes) -> Answer<'a, ()> {
        let (name, root) = (key.to_owned(), Arc::clone(&self.root));
        self.blocking(key, move |path| match fs_files::append(&root, &path, offset, &bytes) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StorageError::Conflict { key: name, offset }),
            Err(e) => Err(StorageError::from_io(&name, e)),
        })
    }

    fn sync<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        let (name, root) = (key.to_owned(), Arc::clone(&self.root));
        self.blocking(key, move |path| match fs_files::sync(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => Err(missing(&root, name)),
            done => done.map_err(|e| StorageError::from_io(&name, e)),
        })
    }

    fn commit<'a>(&'a self, from: &'a str, to: &'a str, size: u64) -> Answer<'a, ()> {
        let (name, target, root) = (from.to_owned(), self.path(to), Arc::clone(&self.root));
        self.blocking(from, move |path| match fs_files::commit(&root, &path, &target?, size) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StorageError::Conflict { key: name, offset: size }),
            Err(e) if e.kind() == ErrorKind::NotFound => Err(missing(&root, name)),
            Err(e) => Err(StorageError::from_io(&name, e)),
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<String>> {
        self.find(prefix, fs_files::list).map_ok(Option::unwrap_or_default).boxed()
    }

    fn folders<'a>(&'a self, prefix: &'a str, after: &'a str, most: usize) -> Answer<'a, Vec<String>> {
        let after = after.to_owned();
        let found = self.find(prefix, move |path| fs_files::folders(path, &after, most));
        found.map_ok(Option::unwrap_or_default).boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        let found = self.find(key, |path| Ok(fs_files::delete(path)?.then_some(())));
        found.map_ok(|found| found.is_some()).boxed()
    }

    /// One folder after the other, so that nobody who ends has to wait for all of them.
    fn remove_left<'a>(&'a self, prefix: &'a str, before: SystemTime, dry_run: bool) -> Answer<'a, u64> {
        let top = self.path(prefix);
        async move {
            let (mut folders, mut left) = (vec![top?], 0);
            while let Some(folder) = folders.pop() {
                let look = move |_: &Path| Ok(fs_temporary::remove_left(&folder, before, dry_run));
                let (inner, removed) = self.look(look).await?;
                folders.extend(inner);
                left += removed;
            }
            Ok(left)
        }
        .boxed()
    }
}

/// The file is not there, or the whole store is not.
fn missing(root: &Path, key: String) -> StorageError {
    match fs_files::require_root(root) {
        Ok(()) => StorageError::Missing { key },
        Err(e) => StorageError::from_io(&key, e),
    }
}
