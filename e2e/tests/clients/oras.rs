//! oras: files as artifacts, what refers to them, and whole images.

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use e2e::{
    layout::contents,
    process::{must_fail, run, run_with_input},
};
use serde_json::Value;

use crate::{
    place::{PASSWORD, Place, USER, refused},
    verbs::Verb,
    ways::each_way,
};

const NOTE: &str = "application/vnd.example.note";

#[test]
fn oras_pushes_pulls_lists_copies_attaches_and_deletes() -> Result<()> {
    each_way(&["oras", "curl"], script)
}

fn script(place: &Place) -> Result<()> {
    let login = ["login", "-u", USER, "--password-stdin", &place.address];
    refused(&mut oras(place, &login), "wrong", "unauthorized: authentication required")?;
    run_with_input(&mut oras(place, &login), PASSWORD)?;
    images(place)?;
    files(place)
}

/// `oras ARGS…` with the registry's CA.
fn oras(place: &Place, args: &[&str]) -> Command {
    let mut command = place.client("oras", args);
    command.arg("--ca-file").arg(place.ca()).current_dir(place.file(""));
    command
}

/// A copy, whose ends have a CA each.
fn copy(place: &Place, args: &[&str]) -> Command {
    place.client("oras", &[&["cp", "-r", "--no-tty"][..], args].concat())
}

fn images(place: &Place) -> Result<()> {
    let (app, second) = (place.reference("oras/app:1"), place.reference("oras/copy:2"));
    let (ca, pulled) = (place.ca().display().to_string(), place.file("oras"));
    let (from, to) = (["--from-ca-file", &ca], ["--to-ca-file", &ca]);
    let here = format!("{}:1", place.image.layout.display());
    run(copy(place, &["--from-oci-layout", &here, &app]).args(to))?;
    place.has("oras/app", "1", &place.image.digest)?;
    place.did(Verb::Push, "oras/app")?;
    let there = format!("{}:1", pulled.display());
    run(copy(place, &["--to-oci-layout", &app, &there]).args(from))?;
    ensure!(contents(&pulled)? == contents(&place.image.layout)?, "not byte for byte what was pushed");
    place.did(Verb::Pull, "oras/app")?;

    run(copy(place, &[&app, &second]).args(from).args(to))?;
    place.has("oras/copy", "2", &place.image.digest)?;
    place.did(Verb::Copy, "oras/copy")?;
    run(&mut oras(place, &["tag", &app, "second"]))?;
    let tags = run(&mut oras(place, &["repo", "tags", &place.reference("oras/app")]))?;
    ensure!(tags.lines().eq(["1", "second"]), "tags: {tags}");
    place.did(Verb::List, "oras/app")?;
    let catalog = run(&mut oras(place, &["repo", "ls", &place.address]))?;
    ensure!(catalog.lines().eq(["oras/app", "oras/copy"]), "catalog: {catalog}");
    run(&mut oras(place, &["manifest", "delete", "-f", &second]))?;
    place.lacks("oras/copy", "2")?;
    place.did(Verb::Delete, "oras/copy")
}

fn files(place: &Place) -> Result<()> {
    let (artifact, app) = (place.reference("oras/files:1"), place.reference("oras/app:1"));
    run(&mut oras(place, &["push", "--no-tty", &artifact, "--artifact-type", NOTE, "large.bin"]))?;
    run(&mut oras(place, &["pull", "--no-tty", &artifact, "-o", "pulled"]))?;
    ensure!(
        fs::read(place.file("large.bin"))? == fs::read(place.file("pulled/large.bin"))?,
        "the file changed"
    );

    run(&mut oras(place, &["attach", "--no-tty", &app, "--artifact-type", NOTE, "hello.txt"]))?;
    let found = run(&mut oras(place, &["discover", &app, "--format", "json"]))?;
    let found: Value = serde_json::from_str(&found)?;
    ensure!(found["referrers"][0]["artifactType"] == NOTE, "referrers: {found}");

    let tree = run(&mut oras(place, &["manifest", "fetch", &artifact]))?;
    let tree: Value = serde_json::from_str(&tree)?;
    let layer = tree["layers"][0]["digest"].as_str().unwrap_or_default();
    let blob = format!("{}@{layer}", place.reference("oras/files"));
    let refused = must_fail(&mut oras(place, &["blob", "delete", "-f", &blob]))?;
    ensure!(refused.contains("still referenced"), "{refused}");
    run(&mut oras(place, &["manifest", "delete", "-f", &artifact]))?;
    run(&mut oras(place, &["blob", "delete", "-f", &blob]))?;
    let gone = must_fail(&mut oras(place, &["blob", "fetch", "--descriptor", &blob]))?;
    ensure!(gone.contains("not found"), "{gone}");
    Ok(())
}
