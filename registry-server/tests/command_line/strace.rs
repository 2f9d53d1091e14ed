//! The program while somebody writes down what it asks of the kernel.

use std::{path::Path, process::Command};

use crate::running::{Running, eventually, program};

/// Whether there is such a program, and it may look at others.
pub fn can_trace() -> bool {
    let can =
        Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|done| done.success());
    assert!(can || std::env::var_os("STRACE_REQUIRED").is_none(), "no strace on this machine");
    if !can {
        eprintln!("skipped: no strace on this machine");
    }
    can
}

/// The program with the configuration `c.yml` of the folder, and these of its calls in a file.
pub fn running(calls: &str, folder: &Path, trace: &Path) -> Running {
    let mut strace = Command::new("strace");
    // The program stays ours: the one that looks on is a child of it.
    strace.args(["-D", "-f", "-y", "-s", "512", "-e", calls, "-o"]).arg(trace).arg(program());
    Running::by(&mut strace, "127.0.0.1", folder, &["c.yml"])
}

/// What was written down, once the program has ended.
pub fn whole(trace: &Path) -> String {
    let read = || std::fs::read_to_string(trace).unwrap();
    eventually(|| read().contains("+++ exited with 0 +++"));
    read()
}
