//! Every seed, by every check, and what comes of it when it is cut, spliced and garbled: the short run that needs no fuzzer.

use std::{fs, path::Path};

use proptest::{prelude::*, sample::Index, test_runner::TestRunner};

use super::*;

type Check = fn(&[u8]);

const CHECKS: [(&str, Check); 12] = [
    ("byte_range", byte_range::check),
    ("configuration", configuration::check),
    ("credentials", credentials::check),
    ("forwarded", forwarded::check),
    ("htpasswd", htpasswd::check),
    ("key_set", key_set::check),
    ("manifest", manifest::check),
    ("policy", policy::check),
    ("reference", reference::check),
    ("route", route::check),
    ("scopes", scopes::check),
    ("token", token::check),
];

/// Inputs that each check gets, beside the seeds.
const MUTATIONS: u32 = 1_000;

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

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = folder("seeds").join(name);
    names(&folder).iter().map(|seed| fs::read(folder.join(seed)).expect("a seed")).collect()
}

#[test]
fn every_seed_is_read_whole_and_cut() {
    for (name, check) in CHECKS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seed");
        for bytes in seeds {
            check(&bytes);
            for end in (0..bytes.len()).step_by(bytes.len().div_ceil(64).max(1)) {
                check(&bytes[..end]);
            }
        }
    }
}

/// The beginning of one seed and the end of another, with a few bytes that are others.
fn mutated(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let garbled = prop::collection::vec((any::<Index>(), any::<u8>()), 0..4);
    let cuts = (any::<Index>(), any::<Index>());
    let pair = (prop::sample::select(seeds.clone()), prop::sample::select(seeds));
    (pair, cuts, garbled).prop_map(|((one, other), (first, second), garbled)| {
        let mut bytes = one[..first.index(one.len() + 1)].to_vec();
        bytes.extend_from_slice(&other[second.index(other.len() + 1)..]);
        for (place, byte) in garbled.into_iter().filter(|_| !bytes.is_empty()).collect::<Vec<_>>() {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

#[test]
fn what_comes_of_seeds_is_read_as_well() {
    let config = ProptestConfig { cases: MUTATIONS, failure_persistence: None, ..ProptestConfig::default() };
    for (name, check) in CHECKS {
        let run = TestRunner::new(config.clone()).run(&mutated(seeds(name)), |bytes| {
            check(&bytes);
            Ok(())
        });
        assert!(run.is_ok(), "{name}: {run:?}");
    }
}

#[test]
fn every_target_has_its_check_and_its_seeds() {
    let checks: Vec<_> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("seeds")), checks);
    let targets: Vec<_> = checks.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&folder("targets")), targets);
}
