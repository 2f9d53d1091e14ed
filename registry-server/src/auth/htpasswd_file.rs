//! Changing a password file that a server reads meanwhile.

use std::{
    fs::{self, File, Metadata},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use crate::auth::{error::AuthError, htpasswd};

/// Adds an account to the file, or replaces its password. The file is made if it is missing.
pub fn add(path: &Path, user: &str, password: &str) -> Result<(), AuthError> {
    let written = |source| AuthError::Write { path: path.to_owned(), source };
    let target = target(path).map_err(written)?;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Held until the end: two at once would lose one account.
    let folder = File::open(folder).map_err(written)?;
    folder.lock().map_err(written)?;
    let text = match fs::read_to_string(&target) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(AuthError::Read { path: path.to_owned(), source }),
        Ok(text) => text,
    };
    let text = htpasswd::with_account(&text, user, password)?;
    replace(&target, &text).and_then(|()| folder.sync_all()).map_err(written)
}

/// The file itself, where the path is a link to it.
fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        found => found,
    }
}

/// Replaces the file in one step by one of the same owner and mode; a new one is its owner's only.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let old = fs::metadata(path).ok();
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", uuid::Uuid::new_v4()));
    let written = fill(Path::new(&temporary), text, old.as_ref()).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn fill(path: &Path, text: &str, old: Option<&Metadata>) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    if let Some(old) = old {
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
        }
        // The mode at creation is cut by the umask.
        file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o777))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, thread};

    use super::*;

    // registry AU5 AU7
    #[test]
    fn a_password_file_keeps_its_mode_its_owner_and_its_links() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        symlink(&file, &link).unwrap();
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        // Root may give it away, as it is when an account of its own runs the server.
        let given = std::os::unix::fs::chown(&file, Some(1234), Some(4321)).is_ok();
        let before = fs::metadata(&file).unwrap();
        add(&link, "ann", "secret").unwrap();
        let after = fs::metadata(&file).unwrap();
        assert_eq!((after.uid(), after.gid(), after.mode()), (before.uid(), before.gid(), before.mode()));
        assert_eq!(given, after.uid() == 1234);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&link).unwrap().lines().count(), 1);
        let new = folder.path().join("new");
        add(&new, "ann", "secret").unwrap();
        assert_eq!(fs::metadata(&new).unwrap().mode() & 0o777, 0o600);
    }

    // registry AU7
    #[test]
    fn accounts_that_are_added_at_once_are_all_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        thread::scope(|scope| {
            for i in 0..6 {
                let file = &file;
                scope.spawn(move || add(file, &format!("user{i}"), "secret").unwrap());
            }
        });
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 6);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
