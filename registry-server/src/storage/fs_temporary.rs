//! Files of writes that have not ended: how they are called, and what becomes of those that never will.

use std::{
    ffi::OsStr,
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use uuid::Uuid;

use crate::storage::fs_files::optional;

/// A name that nobody else has. Whoever lists a folder does not see it.
pub fn name() -> String {
    format!(".{}.tmp", Uuid::new_v4())
}

fn is_ours(name: &OsStr) -> bool {
    let id = name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(".tmp"));
    id.is_some_and(|id| id.parse::<Uuid>().is_ok_and(|read| read.to_string() == id))
}

/// Removes such files from the folder that got their last byte before this moment, or counts them only. Gives the
/// folders in it, and how many files. A write that has been stopped for so long finds its file gone, and begins again.
/// What vanishes meanwhile is nobody's loss, and what cannot be read must not keep the rest from being looked at.
pub fn remove_left(folder: &Path, before: SystemTime, dry_run: bool) -> (Vec<PathBuf>, u64) {
    let (mut folders, mut left) = (Vec::new(), 0);
    for entry in unless_unreadable(folder, fs::read_dir(folder)).into_iter().flatten() {
        let removed = entry.and_then(|entry| remove_one(&entry, before, dry_run, &mut folders));
        left += u64::from(unless_unreadable(folder, removed).unwrap_or(false));
    }
    (folders, left)
}

fn unless_unreadable<T>(folder: &Path, seen: io::Result<T>) -> Option<T> {
    optional(seen).unwrap_or_else(|error| {
        tracing::warn!(folder = %folder.display(), %error, "cannot remove what killed writes have left there");
        None
    })
}

/// Keeps a folder for later. Says whether it is a file that was left.
fn remove_one(
    entry: &DirEntry,
    before: SystemTime,
    dry_run: bool,
    folders: &mut Vec<PathBuf>,
) -> io::Result<bool> {
    if entry.file_type()?.is_dir() {
        folders.push(entry.path());
        return Ok(false);
    }
    let left = is_left(entry, before)?;
    if left && !dry_run {
        fs::remove_file(entry.path())?;
    }
    Ok(left)
}

fn is_left(entry: &DirEntry, before: SystemTime) -> io::Result<bool> {
    if !is_ours(&entry.file_name()) {
        return Ok(false);
    }
    let seen = optional(entry.metadata())?.filter(fs::Metadata::is_file);
    seen.map_or(Ok(false), |seen| Ok(seen.modified()? < before))
}
