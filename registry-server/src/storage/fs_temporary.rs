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
pub fn remove_left(folder: &Path, before: SystemTime, dry_run: bool) -> io::Result<(Vec<PathBuf>, u64)> {
    let (mut folders, mut left) = (Vec::new(), 0);
    for entry in optional(fs::read_dir(folder))?.into_iter().flatten() {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        } else if is_left(&entry, before)? && (dry_run || optional(fs::remove_file(entry.path()))?.is_some())
        {
            left += 1;
        }
    }
    Ok((folders, left))
}

fn is_left(entry: &DirEntry, before: SystemTime) -> io::Result<bool> {
    if !is_ours(&entry.file_name()) {
        return Ok(false);
    }
    let seen = optional(entry.metadata())?.filter(fs::Metadata::is_file);
    seen.map_or(Ok(false), |seen| Ok(seen.modified()? < before))
}
