//! Files below one folder.
//!
//! Appends and moves hold a lock on the file and check its length, so that two replicas that work on
//! one upload cannot mix their bytes. Everything that is answered has been synced, except for appends, which
//! [`Backend::sync`] is for.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    ops::Range,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures::FutureExt;

use crate::storage::{
    backend::{Answer, Backend, ByteStream},
    error::StorageError,
    fs_stream,
};

/// How often a call begins again because another one makes or removes the same folder.
const TRIES: u32 = 100;

/// A folder as a store.
pub struct Filesystem {
    root: Arc<Path>,
}

impl Filesystem {
    /// The store below `root`, which is made if it is missing.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        Ok(Self::existing(root))
    }

    /// The store below `root`, which is left as it is.
    pub fn existing(root: &Path) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, key: &str) -> PathBuf {
        debug_assert!(key.split('/').all(|part| !matches!(part, "" | "." | "..")), "{key}");
        self.root.join(key)
    }

    /// Runs `work` off the async threads.
    fn blocking<'a, T: Send + 'static>(
        &'a self,
        key: &'a str,
        work: impl FnOnce(PathBuf) -> Result<T, StorageError> + Send + 'static,
    ) -> Answer<'a, T> {
        let path = self.path(key);
        async move {
            let done = tokio::task::spawn_blocking(move || work(path)).await;
            done.map_err(|e| StorageError::from_io(key, io::Error::other(e)))?
        }
        .boxed()
    }
}

impl Backend for Filesystem {
    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        let name = key.to_owned();
        self.blocking(key, move |path| {
            let found = optional(fs::metadata(path)).map_err(|e| StorageError::from_io(&name, e))?;
            Ok(found.filter(fs::Metadata::is_file).map(|m| m.len()))
        })
    }

    fn read<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Bytes>> {
        let name = key.to_owned();
        self.blocking(key, move |path| {
            let found = optional(fs::read(path)).map_err(|e| StorageError::from_io(&name, e))?;
            Ok(found.map(Bytes::from))
        })
    }

    fn stream<'a>(&'a self, key: &'a str, range: Range<u64>) -> Answer<'a, Option<ByteStream>> {
        let name = key.to_owned();
        self.blocking(key, move |path| {
            let file = optional(File::open(path)).map_err(|e| StorageError::from_io(&name, e))?;
            Ok(file.map(|file| fs_stream::stream(name, file, range)))
        })
    }

    fn put<'a>(&'a self, key: &'a str, bytes: Bytes) -> Answer<'a, ()> {
        let (name, root) = (key.to_owned(), Arc::clone(&self.root));
        self.blocking(key, move |path| put(&root, &path, &bytes).map_err(|e| StorageError::from_io(&name, e)))
    }

    fn append<'a>(&'a self, key: &'a str, offset: u64, bytes: Bytes) -> Answer<'a, ()> {
        let (name, root) = (key.to_owned(), Arc::clone(&self.root));
        self.blocking(key, move |path| match append(&root, &path, offset, &bytes) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StorageError::Conflict { key: name, offset }),
            Err(e) => Err(StorageError::from_io(&name, e)),
        })
    }

    fn sync<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        let name = key.to_owned();
        self.blocking(key, move |path| match sync(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => Err(StorageError::Missing { key: name }),
            done => done.map_err(|e| StorageError::from_io(&name, e)),
        })
    }

    fn commit<'a>(&'a self, from: &'a str, to: &'a str, size: u64) -> Answer<'a, ()> {
        let (name, target, root) = (from.to_owned(), self.path(to), Arc::clone(&self.root));
        self.blocking(from, move |path| match commit(&root, &path, &target, size) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StorageError::Conflict { key: name, offset: size }),
            Err(e) if e.kind() == ErrorKind::NotFound => Err(StorageError::Missing { key: name }),
            Err(e) => Err(StorageError::from_io(&name, e)),
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<String>> {
        let name = prefix.to_owned();
        self.blocking(prefix, move |path| list(&path).map_err(|e| StorageError::from_io(&name, e)))
    }

    fn folders<'a>(&'a self, prefix: &'a str, after: &'a str, most: usize) -> Answer<'a, Vec<String>> {
        let (name, after) = (prefix.to_owned(), after.to_owned());
        self.blocking(prefix, move |path| {
            folders(&path, &after, most).map_err(|e| StorageError::from_io(&name, e))
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        let name = key.to_owned();
        self.blocking(key, move |path| delete(&path).map_err(|e| StorageError::from_io(&name, e)))
    }
}

fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(e),
    }
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| ErrorKind::InvalidInput.into())
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path)?)?.sync_all()
}

/// Makes a folder and those above it, each for good. Not the root: a volume that is gone must be missed.
fn make_folder(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if folder == root {
        return Err(io::Error::new(ErrorKind::NotFound, "the folder of the store is gone"));
    }
    make_folder(root, folder_of(folder)?)?;
    match fs::create_dir(folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => sync_folder(folder),
    }
}

/// Does something in the folder of the path, which is made if it is missing; again if somebody removed it meanwhile.
fn in_folder(root: &Path, path: &Path, work: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(path)?;
    let mut tries = 0;
    loop {
        match make_folder(root, folder).and_then(|()| work(folder)) {
            Err(e) if e.kind() == ErrorKind::NotFound && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

fn put(root: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    in_folder(root, path, |folder| {
        let temporary = folder.join(format!(".{}.tmp", uuid::Uuid::new_v4()));
        let written = File::create_new(&temporary)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&temporary, path))
            .and_then(|()| sync_folder(path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    })
}

/// The file may be new, and then its name must survive, too.
fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_data()?;
    sync_folder(path)
}

/// Locks the file for one writer. Nothing if the name has moved to another file meanwhile.
fn lock(path: &Path, options: &OpenOptions) -> io::Result<Option<File>> {
    let file = options.open(path)?;
    file.lock()?;
    let same =
        optional(fs::metadata(path))?.is_some_and(|m| file.metadata().is_ok_and(|f| f.ino() == m.ino()));
    Ok(same.then_some(file))
}

fn append(root: &Path, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    options.write(true).truncate(false);
    if offset == 0 {
        make_folder(root, folder_of(path)?)?;
        options.create(true);
    }
    let Some(file) = optional(lock(path, &options))?.flatten() else { return Ok(false) };
    if file.metadata()?.len() != offset {
        return Ok(false);
    }
    let written = file.write_all_at(bytes, offset);
    if written.is_err() {
        let _ = file.set_len(offset);
    }
    written.map(|()| true)
}

fn commit(root: &Path, from: &Path, to: &Path, size: u64) -> io::Result<bool> {
    let Some(file) = lock(from, OpenOptions::new().write(true))? else { return Ok(false) };
    if file.metadata()?.len() != size {
        return Ok(false);
    }
    file.sync_all()?;
    in_folder(root, to, |_| fs::rename(from, to).and_then(|()| sync_folder(to))).map(|()| true)
}

/// Entries of a folder. Temporary files of running writes are nobody's business.
fn entries(path: &Path) -> io::Result<impl Iterator<Item = io::Result<(String, fs::DirEntry)>>> {
    let named = |entry: io::Result<fs::DirEntry>| match entry {
        Ok(entry) => entry.file_name().into_string().ok().map(|name| Ok((name, entry))),
        Err(e) => Some(Err(e)),
    };
    let entries = optional(fs::read_dir(path))?.into_iter().flatten().filter_map(named);
    Ok(entries.filter(|entry| entry.as_ref().map_or(true, |(name, _)| !name.starts_with('.'))))
}

fn list(path: &Path) -> io::Result<Vec<String>> {
    let mut names = entries(path)?.map(|entry| Ok(entry?.0)).collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

/// A folder has no order: all names are read, and only those of the page are held.
fn folders(path: &Path, after: &str, most: usize) -> io::Result<Vec<String>> {
    let mut names = BTreeSet::new();
    for entry in entries(path)? {
        let (name, entry) = entry?;
        if name.as_str() > after && entry.file_type()?.is_dir() {
            names.insert(name);
        }
        if names.len() > most {
            names.pop_last();
        }
    }
    Ok(names.into_iter().collect())
}

fn delete(path: &Path) -> io::Result<bool> {
    let Some(found) = optional(fs::symlink_metadata(path))? else { return Ok(false) };
    let gone = if found.is_dir() { remove_folder(path) } else { fs::remove_file(path) };
    let gone = optional(gone)?.is_some();
    let _ = sync_folder(path);
    Ok(gone)
}

/// Again if somebody wrote into it meanwhile.
fn remove_folder(path: &Path) -> io::Result<()> {
    let mut tries = 0;
    loop {
        match fs::remove_dir_all(path) {
            Err(e) if e.kind() == ErrorKind::DirectoryNotEmpty && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}
