//! Every seed, by every check, and what comes of it when it is cut anywhere.

use std::{fs, path::Path};

use super::*;

type Check = fn(&[u8]);

const CHECKS: [(&str, Check); 10] = [
    ("byte_range", byte_range::check),
    ("configuration", configuration::check),
    ("forwarded", forwarded::check),
    ("htpasswd", htpasswd::check),
    ("key_set", key_set::check),
    ("manifest", manifest::check),
    ("policy", policy::check),
    ("reference", reference::check),
    ("route", route::check),
    ("token", token::check),
];

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn every_seed_is_read_whole_and_cut() {
    for (name, check) in CHECKS {
        let seeds = names(&folder("seeds").join(name));
        assert!(!seeds.is_empty(), "{name} has no seed");
        for seed in seeds {
            let bytes = fs::read(folder("seeds").join(name).join(&seed)).expect("a seed");
            check(&bytes);
            for end in (0..bytes.len()).step_by(bytes.len().div_ceil(64).max(1)) {
                check(&bytes[..end]);
            }
        }
    }
}

#[test]
fn every_target_has_its_check_and_its_seeds() {
    let checks: Vec<_> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("seeds")), checks);
    let targets: Vec<_> = checks.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&folder("targets")), targets);
}
