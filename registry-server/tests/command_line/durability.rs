//! Section 10, ST1: what is acknowledged is on the disk. A power cut cannot be had in a test, so this reads what the
//! program asks of the kernel, and in which order. Machines without strace skip it.

use std::path::{Path, PathBuf};

use registry_server::oci::{digest::Algorithm, hasher::Hasher};

use crate::{
    ending::header,
    running::Running,
    strace::{self, can_trace},
    traced::{Call, calls, folder_of, is_temporary},
};

const CALLS: &str = "trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,unlink,unlinkat,rmdir,\
                     write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg";

/// A registry in the folder, and whatever it asks of the kernel in a file.
fn traced(folder: &Path, store: &Path, trace: &Path) -> Running {
    let store =
        format!("{{filesystem: {{rootdirectory: '{}'}}, delete: {{enabled: true}}}}", store.display());
    std::fs::write(folder.join("c.yml"), format!("storage: {store}\n")).unwrap();
    strace::running(CALLS, folder, trace)
}

/// What a server does between two of its answers.
struct Work<'a> {
    calls: &'a [Call],
    store: &'a Path,
}

impl Work<'_> {
    /// Whether the file or folder was synced after this line and before that one.
    fn synced(&self, path: &Path, after: usize, before: usize) -> bool {
        let mut synced = self.calls.iter().filter(|call| call.synced().is_some_and(|synced| synced == path));
        synced.any(|call| after < call.began && call.ended < before)
    }

    fn ours<'b, T: 'b>(
        &'b self,
        what: impl Fn(&Call) -> Option<T> + 'b,
        path: impl Fn(&T) -> &Path + 'b,
    ) -> impl Iterator<Item = (&'b Call, T)> + 'b {
        let found = self.calls.iter().filter_map(move |call| Some((call, what(call)?)));
        found.filter(move |(_, found)| path(found).starts_with(self.store))
    }

    /// Where the last byte of the file was written.
    fn last_byte(&self, path: &Path) -> usize {
        let written = self.calls.iter().filter(|call| call.written().is_some_and(|written| written == path));
        written.map(|call| call.ended).max().unwrap_or_default()
    }

    /// Content first, then its name, then the folder that has the name. Gives how many files there were.
    fn moves_what_is_on_the_disk(&self, answer: usize) -> usize {
        let moved = self.ours(Call::moved, |(_, to)| to);
        moved
            .map(|(call, (from, to))| {
                assert!(
                    self.synced(&from, self.last_byte(&from), call.began),
                    "{from:?} before it becomes {to:?}"
                );
                assert!(self.synced(folder_of(&to), call.ended, answer), "the folder of {to:?}");
            })
            .count()
    }

    /// Folders that were made, and the names of what was appended to.
    fn keeps_what_it_makes(&self, answer: usize) -> usize {
        let made = self.ours(Call::made, PathBuf::as_path);
        made.map(|(call, made)| {
            assert!(self.synced(folder_of(&made), call.ended, answer), "the folder of {made:?}");
        })
        .count()
    }

    /// Of a folder that goes, its own name counts.
    fn keeps_what_it_removes(&self, answer: usize) -> usize {
        let removed: Vec<_> = self.ours(Call::removed, PathBuf::as_path).collect();
        let inside = |path: &Path| removed.iter().any(|(_, other)| folder_of(path) == other);
        let outermost = removed.iter().filter(|(_, path)| !inside(path) && !is_temporary(path));
        outermost
            .map(|(call, path)| {
                assert!(self.synced(folder_of(path), call.ended, answer), "the folder that had {path:?}");
            })
            .count()
    }

    /// Bytes of an upload that a client was told to be there.
    fn keeps_what_it_takes_in(&self, answer: usize) -> usize {
        let taken = self.ours(Call::written, PathBuf::as_path).filter(|(_, path)| path.ends_with("data"));
        taken
            .map(|(_, path)| {
                let last = self.last_byte(&path);
                assert!(self.synced(&path, last, answer), "{path:?}");
                assert!(self.synced(folder_of(&path), last, answer), "the folder of {path:?}");
            })
            .count()
    }
}

fn digest(bytes: &str) -> String {
    Hasher::digest(Algorithm::Sha256, bytes.as_bytes()).to_string()
}

/// Pushes in all the ways, deletes, and gives the answers' statuses.
fn push_and_delete(registry: &Running) -> Vec<String> {
    let mut statuses = Vec::new();
    let mut ask = |request: &str| {
        let answer = registry.ask(request);
        statuses.push(answer.split(' ').nth(1).unwrap().to_owned());
        header(&answer, "location")
    };
    ask(&format!("POST /v2/n/blobs/uploads/?digest={} HTTP/1.1\n\nat once", digest("at once")));
    let upload = ask("POST /v2/n/blobs/uploads/ HTTP/1.1");
    ask(&format!("PATCH {upload} HTTP/1.1\n\nin "));
    ask(&format!("PATCH {upload} HTTP/1.1\n\nchunks"));
    ask(&format!("PUT {upload}?digest={} HTTP/1.1", digest("in chunks")));
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let kind = "content-type: application/vnd.oci.image.index.v1+json";
    ask(&format!("PUT /v2/n/manifests/t HTTP/1.1\n{kind}\n\n{index}"));
    ask(&format!("DELETE /v2/n/manifests/{} HTTP/1.1", digest(index)));
    ask(&format!("DELETE /v2/n/blobs/{} HTTP/1.1", digest("at once")));
    statuses
}

// registry ST1
#[test]
fn what_is_acknowledged_was_flushed_to_the_disk_before() {
    if !can_trace() {
        return;
    }
    let (folder, away) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let trace = away.path().join("trace");
    let store = folder.path().canonicalize().unwrap().join("store");
    let registry = traced(folder.path(), &store, &trace);
    let statuses = push_and_delete(&registry);
    assert_eq!(statuses, ["201", "202", "202", "202", "201", "201", "202", "202"]);
    assert_eq!(registry.end().0, Some(0));
    let calls = calls(&strace::whole(&trace));
    let answers: Vec<_> = calls.iter().filter_map(|call| Some((call.answered()?, call.began))).collect();
    assert_eq!(answers.iter().map(|(status, _)| *status).collect::<Vec<_>>(), statuses);
    let (mut before, mut counted) = (0, [0; 4]);
    for (status, answer) in answers {
        let until = |line| calls.partition_point(|call| call.ended < line);
        let work = Work { calls: &calls[until(before)..until(answer)], store: &store };
        counted[0] += work.moves_what_is_on_the_disk(answer);
        counted[1] += work.keeps_what_it_makes(answer);
        counted[2] += work.keeps_what_it_removes(answer);
        // What becomes a blob is moved.
        counted[3] += if status == "202" { work.keeps_what_it_takes_in(answer) } else { 0 };
        before = answer;
    }
    // Both blobs, the index, and their links; sessions that end, and what was deleted; two chunks.
    let least = [10, 20, 5, 2];
    assert!(counted.iter().zip(least).all(|(counted, least)| *counted >= least), "{counted:?}");
}
