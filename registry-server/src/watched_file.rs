//! Files whose content may change while the server runs. Polled by content: Kubernetes swaps symlinks.

use std::{fs, io, path::PathBuf, time::Duration};

/// Contents of the files, in their order.
pub type Contents = Vec<Vec<u8>>;

/// Reads all files once.
pub fn read(paths: &[PathBuf]) -> io::Result<Contents> {
    let named = |path: &PathBuf, e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    paths.iter().map(|path| fs::read(path).map_err(|e| named(path, e))).collect()
}

/// Whether contents are done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to do until they change.
    Settled,
    /// To be looked at again after the period.
    Later,
}

/// Calls `changed` whenever the contents, or the reason why they cannot be read, are new. Never ends.
pub async fn follow(
    paths: Vec<PathBuf>,
    period: Duration,
    mut known: Contents,
    mut changed: impl FnMut(Result<&Contents, &str>) -> Verdict,
) {
    let (mut trouble, mut verdict) = (None, Verdict::Settled);
    loop {
        tokio::time::sleep(period).await;
        let these = paths.clone();
        let now = tokio::task::spawn_blocking(move || read(&these)).await;
        match now.map_err(io::Error::other).and_then(|read| read) {
            Ok(contents) => {
                if contents != known || trouble.take().is_some() || verdict == Verdict::Later {
                    verdict = changed(Ok(&contents));
                    known = contents;
                }
            }
            Err(error) => {
                let error = error.to_string();
                if trouble.as_ref() != Some(&error) {
                    changed(Err(&error));
                    trouble = Some(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    // registry AU5 TL2: the kubelet swaps a link to the folder of all files.
    #[tokio::test]
    async fn files_behind_a_swapped_link_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for version in ["1", "2"] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("file"), version).unwrap();
        }
        symlink("1", at("now")).unwrap();
        let paths = vec![at("now").join("file")];
        let known = read(&paths).unwrap();
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let following = tokio::spawn(follow(paths, Duration::from_millis(5), known, move |now| {
            let _ = tell.send(now.cloned().map_err(str::to_owned));
            Verdict::Settled
        }));
        symlink("2", at("next")).unwrap();
        fs::rename(at("next"), at("now")).unwrap();
        assert_eq!(told.recv().await.unwrap(), Ok(vec![b"2".to_vec()]));
        fs::remove_file(at("now")).unwrap();
        assert!(told.recv().await.unwrap().is_err());
        symlink("2", at("now")).unwrap();
        assert_eq!(told.recv().await.unwrap(), Ok(vec![b"2".to_vec()]));
        following.abort();
    }
}
