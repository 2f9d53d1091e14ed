//! Steps on files and folders that survive a crash, and others who do the same at the same time.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use rustix::fs::{StatVfs, statvfs};

use crate::storage::{backend::Space, error::Gone, fs_temporary};

/// How often a call begins again because another one makes or removes the same folder.
const TRIES: u32 = 100;

/// Nothing instead of an error, if there is nothing of that name.
pub fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(e),
    }
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    // A name alone is one of the folder that we are in.
    Ok(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path)?)?.sync_all()
}

/// The folder of the store is not there, or is no folder.
pub fn require_root(root: &Path) -> io::Result<()> {
    match optional(fs::metadata(root))? {
        Some(found) if found.is_dir() => Ok(()),
        _ => Err(io::Error::other(Gone("folder"))),
    }
}

/// How much room the file system of the store has.
pub fn space(root: &Path) -> io::Result<Space> {
    require_root(root)?;
    Ok(counted(&statvfs(root)?))
}

/// What is kept for root is neither taken nor ours to have.
fn counted(seen: &StatVfs) -> Space {
    let bytes = |blocks: u64| blocks.saturating_mul(seen.f_frsize);
    let used = seen.f_blocks.saturating_sub(seen.f_bfree);
    Space { capacity: bytes(used.saturating_add(seen.f_bavail)), used: bytes(used) }
}

/// Makes the root and whatever is missing above it, each for good.
pub fn make_root(root: &Path) -> io::Result<()> {
    match optional(fs::metadata(root))? {
        Some(found) if found.is_dir() => Ok(()),
        Some(_) => Err(ErrorKind::NotADirectory.into()),
        None => {
            make_root(folder_of(root)?).and_then(|()| make_one(root))?;
            // A link that leads nowhere has the name, and is no folder.
            root.is_dir().then_some(()).ok_or(ErrorKind::NotADirectory.into())
        }
    }
}

fn make_one(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => sync_folder(folder),
    }
}

/// Makes a folder and those above it, each for good. Not the root: a volume that is gone must be missed.
fn make_folder(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if folder == root {
        return Err(io::Error::other(Gone("folder")));
    }
    make_folder(root, folder_of(folder)?)?;
    make_one(folder)
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

/// Writes a file as a whole: others see the old or the new one.
pub fn put(root: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    in_folder(root, path, |folder| {
        let temporary = folder.join(fs_temporary::name());
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

/// Makes sure that what was written survives. The file may be new, and then its name must, too.
pub fn sync(path: &Path) -> io::Result<()> {
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

/// Most that is written at once. Linux keeps a large write in blocks of memory that are as large, and a virtual machine that has
/// none left at hand asks its host for them: 2 GiB in writes of 1 MiB took ten times as long there as in smaller ones.
const WRITE: usize = 128 << 10;

/// Appends; false if the file does not end at `offset`.
pub fn append(root: &Path, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    options.write(true).truncate(false);
    if offset == 0 {
        make_folder(root, folder_of(path)?)?;
        options.create(true);
    }
    let Some(file) = optional(lock(path, &options))?.flatten() else {
        return require_root(root).map(|()| false);
    };
    if file.metadata()?.len() != offset {
        return Ok(false);
    }
    let mut parts = bytes.chunks(WRITE).zip((offset..).step_by(WRITE));
    let written = parts.try_for_each(|(part, at)| file.write_all_at(part, at));
    if written.is_err() {
        let _ = file.set_len(offset);
    }
    written.map(|()| true)
}

/// Moves a file for good; false if it has not this size.
pub fn commit(root: &Path, from: &Path, to: &Path, size: u64) -> io::Result<bool> {
    let Some(file) = lock(from, OpenOptions::new().write(true))? else { return Ok(false) };
    if file.metadata()?.len() != size {
        return Ok(false);
    }
    file.sync_all()?;
    in_folder(root, to, |_| fs::rename(from, to).and_then(|()| sync_folder(to))).map(|()| true)
}

/// Entries of a folder, if it is there. Temporary files of running writes are nobody's business.
fn entries(path: &Path) -> io::Result<Option<impl Iterator<Item = io::Result<(String, fs::DirEntry)>>>> {
    let named = |entry: io::Result<fs::DirEntry>| match entry {
        Ok(entry) => entry.file_name().into_string().ok().map(|name| Ok((name, entry))),
        Err(e) => Some(Err(e)),
    };
    let Some(entries) = optional(fs::read_dir(path))? else { return Ok(None) };
    let entries = entries.filter_map(named);
    Ok(Some(entries.filter(|entry| entry.as_ref().map_or(true, |(name, _)| !name.starts_with('.')))))
}

/// Names in a folder, sorted.
pub fn list(path: &Path) -> io::Result<Option<Vec<String>>> {
    let Some(entries) = entries(path)? else { return Ok(None) };
    let mut names = entries.map(|entry| Ok(entry?.0)).collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(Some(names))
}

/// A folder has no order: all names are read, and only those of the page are held.
pub fn folders(path: &Path, after: &str, most: usize) -> io::Result<Option<Vec<String>>> {
    let Some(entries) = entries(path)? else { return Ok(None) };
    let mut names = BTreeSet::new();
    for entry in entries {
        let (name, entry) = entry?;
        if name.as_str() > after && entry.file_type()?.is_dir() {
            names.insert(name);
        }
        if names.len() > most {
            names.pop_last();
        }
    }
    Ok(Some(names.into_iter().collect()))
}

/// Removes a file or a folder; says whether there was one.
pub fn delete(path: &Path) -> io::Result<bool> {
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
