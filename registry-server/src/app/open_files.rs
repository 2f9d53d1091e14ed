//! How many files the process may have open: each connection is one.

use std::io;

use rustix::process::{Resource, getrlimit, setrlimit};

/// Takes as many as it may. Programs are started with few, for the sake of those that cannot count far.
pub fn take_all() -> io::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}
