//! Who may see whom, and how long a file may be.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{collections::BTreeSet, fs, path::Path};

/// Room, and what it must not import.
const NEVER: &[(&str, &[&str])] = &[
    ("oci", &["app", "auth", "cache", "http", "metrics", "registry", "settings", "storage", "telemetry"]),
    ("storage", &["registry", "cache", "oci", "http", "auth", "app", "settings"]),
    ("cache", &["registry", "http", "auth", "app", "oci", "storage", "settings"]),
    ("registry", &["http", "auth", "events", "gc", "app", "settings"]),
    ("http", &["storage", "cache", "gc", "app"]),
    ("auth", &["http", "registry", "storage", "cache", "app", "settings"]),
];

/// Foreign crate, and the only places that may name it.
const DOORS: &[(&str, &[&str])] = &[
    ("axum", &["http/"]),
    ("hyper", &["http/"]),
    ("redis", &["cache/redis"]),
    ("rustix", &["storage/", "app/open_files.rs"]),
    ("opendal", &["storage/s3"]),
    ("reqwest", &["storage/s3"]),
    (
        "registry_config",
        &["app.rs", "app/", "main.rs", "settings.rs", "telemetry.rs", "auth/htpasswd.rs", "auth/key_set.rs"],
    ),
    ("bcrypt", &["auth/"]),
    ("jsonwebtoken", &["auth/"]),
    ("clap", &["main.rs"]),
];

fn files(folder: &Path, found: &mut Vec<(String, String)>, root: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found, root);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found, &root);
    let shipped = |text: String| text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
    found.into_iter().map(|(name, text)| (name, shipped(text))).collect()
}

/// First segments after `crate::`, also inside braces.
fn rooms(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let segment =
            |s: &str| s.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        let Some(inner) = rest.strip_prefix('{') else {
            found.push(segment(rest));
            continue;
        };
        let (mut depth, mut item) = (0, String::new());
        for c in inner.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => found.push(segment(&std::mem::take(&mut item))),
                _ if depth == 0 => item.push(c),
                _ => {}
            }
        }
        found.push(segment(&item));
    }
    found
}

#[test]
fn no_room_sees_what_it_must_not() {
    let mut broken = Vec::new();
    for (name, text) in sources() {
        for (room, never) in NEVER {
            if !name.starts_with(&format!("{room}/")) {
                continue;
            }
            for seen in rooms(&text) {
                if never.contains(&seen.as_str()) {
                    broken.push(format!("{name} sees {seen}"));
                }
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn foreign_crates_stay_behind_their_doors() {
    let mut broken = Vec::new();
    for (name, text) in sources() {
        for (foreign, doors) in DOORS {
            let used = text.lines().any(|line| {
                let line = line.trim_start();
                line.starts_with(&format!("use {foreign}::"))
                    || (!line.starts_with("//")
                        && line.contains(&format!(" {foreign}::"))
                        && !line.contains("crate::"))
            });
            if used && !doors.iter().any(|door| name.starts_with(door)) {
                broken.push(format!("{name} names {foreign}"));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn files_are_short_and_faces_define_nothing() {
    for (name, text) in sources() {
        assert!(text.lines().count() <= 400, "{name} has {} lines", text.lines().count());
        if name == "lib.rs" || name.ends_with("mod.rs") {
            let face = |l: &str| l.is_empty() || ["//!", "#![", "pub mod "].iter().any(|s| l.starts_with(s));
            let other = text.lines().find(|l| !face(l));
            assert_eq!(other, None, "{name}");
        }
        assert!(!text.contains("super::"), "{name} imports from above, not from crate::");
    }
}

/// Names of metrics in quotation marks or in backticks.
fn metrics(text: &str, mark: char) -> BTreeSet<String> {
    let words = text.split(mark).skip(1).step_by(2);
    let letters = |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let ours = |word: &&str| letters(word) && ["registry_", "redis_"].iter().any(|p| word.starts_with(p));
    words.filter(ours).map(str::to_owned).collect()
}

// registry OB3
#[test]
fn every_metric_is_documented_and_there() {
    let measured: Vec<String> = sources()
        .into_iter()
        .flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| ["counter!(", "gauge!(", "histogram!("].iter().any(|word| line.contains(word)))
        .collect();
    let there = measured.iter().flat_map(|line| metrics(line, '"')).collect::<BTreeSet<_>>();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/server-configuration.md");
    let page = fs::read_to_string(page).unwrap();
    let table = page.split("\n## Metrics\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let first = |row: &str| row.split('|').nth(1).map(|cell| metrics(cell, '`'));
    let documented = table.lines().filter_map(first).flatten().collect::<BTreeSet<_>>();
    assert_eq!(there, documented);
    assert!(there.len() > 15, "{there:?}");
}
