//! The walls of `ARCHITECTURE.md`: who may not import whom, and how long a file may be.

#![expect(clippy::unwrap_used, reason = "what cannot be read or built must fail the test")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folder or file below `src`, and what none of its lines may contain.
const NEVER: &[(&str, &[&str])] = &[
    ("crd", &["crate::cluster", "crate::private_registry", "crate::args", "crate::health"]),
    ("cluster", &["crate::crd", "crate::private_registry", "crate::args", "crate::health"]),
    // Pure: no client, no clock, no randomness.
    (
        "private_registry/desired",
        &[
            "cluster::apply",
            "cluster::create",
            "cluster::lease",
            "::observe",
            "::generated",
            "kube::Client",
            "SystemTime",
            "Timestamp::now",
            "rand::",
            "Instant",
        ],
    ),
    ("private_registry/certificates", &["kube::", "SystemTime", "Timestamp::now", "rand::"]),
    ("private_registry/accounts", &["kube::", "SystemTime", "Timestamp::now"]),
    ("private_registry/placement", &["kube::", "SystemTime", "Timestamp::now", "rand::"]),
    ("private_registry/resolve.rs", &["Client", "SystemTime", "Timestamp::now", "rand::"]),
    // Of the status, `write` alone has a client and a clock.
    ("private_registry/status/compute.rs", &["Client", "Timestamp::now", "rand::"]),
    ("private_registry/status/facts.rs", &["Client", "Timestamp::now", "rand::"]),
    ("private_registry/status/workload.rs", &["Client", "Timestamp::now", "rand::"]),
    ("private_registry/status/observed.rs", &["Client", "Timestamp::now", "rand::"]),
    ("private_registry/status/verdict.rs", &["Client", "Timestamp::now", "rand::"]),
    ("private_registry/status/storage.rs", &["Client", "Timestamp::now", "rand::"]),
    ("private_registry/status/parts.rs", &["Client", "Timestamp::now", "rand::"]),
    ("private_registry/status/degraded.rs", &["Client", "Timestamp::now", "rand::"]),
    ("private_registry/status/news.rs", &["Client", "Timestamp::now", "rand::"]),
    ("private_registry/status/pace.rs", &["Client", "Timestamp::now", "rand::"]),
    ("", &["registry_server", "super::super"]),
];
const LONGEST: usize = 400;

fn sources(folder: &Path) -> Vec<PathBuf> {
    if folder.is_file() {
        return vec![folder.to_owned()];
    }
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The code of a file without its unit tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

// operator 7: builders and status have no clock and no randomness in reach
#[test]
fn no_room_reaches_into_another_that_it_may_not_know() {
    for (room, forbidden) in NEVER {
        let files = sources(&src().join(room));
        assert!(!files.is_empty(), "{room} is gone: change this test and ARCHITECTURE.md");
        for file in files {
            let code = code(&file);
            for word in *forbidden {
                assert!(!code.contains(word), "{} names {word}", file.display());
            }
        }
    }
}

#[test]
fn files_are_short_enough_to_read() {
    for file in sources(&src()) {
        let lines = code(&file).lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines: make it two", file.display());
    }
}
