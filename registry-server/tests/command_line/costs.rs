//! What a process has: memory and open files.

use crate::running::{Running, eventually};

/// What a server had before something was asked of it.
pub struct Costs {
    memory: u64,
    files: usize,
}

/// Whether it is to be as much as the behaviour says. CI has less time.
pub fn full() -> bool {
    std::env::var_os("HOSTILE").is_some()
}

/// KiB of memory that the server has used at most so far.
pub fn peak(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// How many files and sockets the server has open.
pub fn files(running: &Running) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", running.child.id())).unwrap().count()
}

impl Costs {
    pub fn before(running: &Running) -> Self {
        Self { memory: peak(running), files: files(running) }
    }

    /// What so many of them cost since: no more than `most` KiB each.
    pub fn tell(&self, running: &Running, what: &str, count: usize, most: u64) {
        let (memory, open) = (peak(running) - self.memory, files(running) - self.files);
        let each = memory as f64 / count as f64;
        println!("| {what} | {count} | {} | {} | {each:.1} |", self.memory, self.memory + memory);
        assert!(open >= count, "{open} of {count} {what} are open");
        assert!(memory <= most * count as u64, "{each:.1} KiB for each of {count} {what}");
    }

    /// Nothing is open that was not before.
    pub fn are_given_back(&self, running: &Running) {
        eventually(|| files(running) <= self.files);
    }
}
