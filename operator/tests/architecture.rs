//! The walls of `ARCHITECTURE.md`: who may not import whom, and how long a file may be.

#![expect(clippy::unwrap_used, reason = "what cannot be read or built must fail the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
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
    // `write` alone, which is below, has a client and a clock.
    ("private_registry/status", &["Client", "Timestamp::now", "SystemTime", "rand::"]),
    ("", &["registry_server", "super::super"]),
];
/// What a room's rule does not hold for.
const EXCEPT: &[&str] = &["private_registry/status/write.rs"];
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
        let except = |file: &PathBuf| !room.is_empty() && EXCEPT.iter().any(|name| file.ends_with(name));
        for file in files.into_iter().filter(|file| !except(file)) {
            let code = code(&file);
            for word in *forbidden {
                assert!(!code.contains(word), "{} names {word}", file.display());
            }
        }
    }
}

/// First segments after `private_registry::`, also inside braces.
fn neighbours(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, start) in code.match_indices("private_registry::") {
        let rest = &code[at + start.len()..];
        let (mut depth, mut item) = (0, String::new());
        for c in rest.strip_prefix('{').unwrap_or(rest).chars() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' if depth == 0 && rest.starts_with('{') => {
                    found.insert(std::mem::take(&mut item));
                }
                ',' | ';' | '}' if depth == 0 => break,
                c if depth == 0 => item.push(c),
                _ => {}
            }
        }
        found.insert(item);
    }
    found.iter().map(|item| item.trim().split("::").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_steps_of_a_pass_do_not_go_in_circles() {
    let folder = src().join("private_registry");
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(&folder) {
        let inner = file.strip_prefix(&folder).unwrap().with_extension("");
        let room = inner.iter().next().unwrap().to_string_lossy().into_owned();
        uses.entry(room).or_default().extend(neighbours(&code(&file)));
    }
    // Those that use no other that is left go first; who is left over goes in a circle.
    while let Some(done) = {
        let free = |(room, of): &(&String, &BTreeSet<String>)| {
            of.iter().all(|other| other == *room || !uses.contains_key(other))
        };
        uses.iter().find(free).map(|(room, _)| room.clone())
    } {
        uses.remove(&done);
    }
    assert!(uses.is_empty(), "circles among {uses:?}");
}

#[test]
fn files_are_short_enough_to_read() {
    for file in sources(&src()) {
        let lines = code(&file).lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines: make it two", file.display());
    }
}

/// Words between `before` and `after` that are names of metrics.
fn metrics(text: &str, before: &str, after: char) -> BTreeSet<String> {
    let words = text.split(before).skip(1).filter_map(|rest| rest.split(after).next());
    words.filter(|word| word.starts_with("preg_")).map(str::to_owned).collect()
}

#[test]
fn every_metric_is_in_its_page_and_every_one_in_the_page_is_there() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/operator.md");
    let told = metrics(&fs::read_to_string(page).unwrap(), "\n| `", '`');
    let kept: BTreeSet<String> =
        sources(&src()).iter().flat_map(|file| metrics(&code(file), "!(\"", '"')).collect();
    assert_eq!(told, kept);
}
