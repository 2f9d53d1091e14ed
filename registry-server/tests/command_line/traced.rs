//! What a program asks of the kernel, in the order in which it does.

use std::{
    collections::HashMap,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// A call that succeeded.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    /// The line of the trace on which it began, and the one on which it was over.
    pub began: usize,
    pub ended: usize,
    arguments: String,
}

impl Call {
    /// What stands between the marks, one after the other.
    fn between(&self, open: char, close: char) -> Vec<&str> {
        let inner = self.arguments.split(open).skip(1);
        let inner = inner.filter_map(|rest| rest.split_once(close).map(|(inner, _)| inner));
        inner.collect()
    }

    /// The text of the argument of this number among those that are texts.
    fn text(&self, number: usize) -> &str {
        self.arguments.split('"').nth(2 * number + 1).unwrap_or_default()
    }

    /// The file behind the descriptor that is its first argument.
    fn opened(&self) -> PathBuf {
        self.between('<', '>').first().map(PathBuf::from).unwrap_or_default()
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    /// The file or folder that is on the disk since.
    pub fn synced(&self) -> Option<PathBuf> {
        self.is(&["fsync", "fdatasync"]).then(|| self.opened())
    }

    /// The file that has got bytes.
    pub fn written(&self) -> Option<PathBuf> {
        self.is(&["write", "writev", "pwrite64", "pwritev", "pwritev2"]).then(|| self.opened())
    }

    /// What was moved, and where it is since.
    pub fn moved(&self) -> Option<(PathBuf, PathBuf)> {
        self.is(&["rename", "link"]).then(|| (self.text(0).into(), self.text(1).into()))
    }

    pub fn made(&self) -> Option<PathBuf> {
        self.is(&["mkdir"]).then(|| self.text(0).into())
    }

    pub fn removed(&self) -> Option<PathBuf> {
        match self.name.as_str() {
            "unlink" | "rmdir" => Some(self.text(0).into()),
            "unlinkat" => Some(self.opened().join(self.text(0))),
            _ => None,
        }
    }

    /// The status of an answer that goes to a client.
    pub fn answered(&self) -> Option<&str> {
        let sends = self.is(&["write", "writev", "sendto", "sendmsg"]);
        self.text(0).strip_prefix("HTTP/1.1 ").filter(|_| sends)?.split(' ').next()
    }
}

/// Every call of the calls that `strace -f -y` has written down, by its end.
pub fn calls(trace: &str) -> Vec<Call> {
    let (mut found, mut begun) = (Vec::new(), HashMap::new());
    for (at, line) in trace.lines().enumerate() {
        let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(first) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, (at, first));
            continue;
        }
        let resumed = rest.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>"));
        let (began, whole) = match resumed {
            Some((_, last)) => {
                let (began, first) = begun.remove(thread).unwrap_or_default();
                (began, format!("{first}{last}"))
            }
            None => (at, rest.to_owned()),
        };
        found.extend(succeeded(&whole, began, at));
    }
    found
}

fn succeeded(line: &str, began: usize, ended: usize) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let (name, arguments) = (name.to_owned(), arguments.to_owned());
    (!result.starts_with(['-', '?'])).then_some(Call { name, began, ended, arguments })
}

/// The folder that has it.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// A file that is there for a moment, under a name that nobody looks for.
pub fn is_temporary(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("tmp"))
}
