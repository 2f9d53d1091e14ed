//! regctl: deletes a tag alone, and lists what refers to an image.

use std::fs;

use anyhow::{Result, ensure};
use e2e::{
    layout::contents,
    process::{run, run_with_input},
};

use crate::{
    place::{PASSWORD, Place, USER, refused},
    verbs::Verb,
    ways::each_way,
};

const NOTE: &str = "application/vnd.example.note";

#[test]
fn regctl_pushes_pulls_lists_copies_attaches_and_deletes() -> Result<()> {
    each_way(&["regctl", "curl"], script)
}

fn script(place: &Place) -> Result<()> {
    let regctl = |args: &[&str]| {
        let mut command = place.client("regctl", args);
        command.env("REGCTL_CONFIG", place.file("regctl.json"));
        command
    };
    let (app, copy) = (place.reference("regctl/app:1"), place.reference("regctl/copy:1"));
    let trust = fs::read_to_string(place.ca())?;
    run(&mut regctl(&["registry", "set", &place.address, "--skip-check", "--cacert", &trust]))?;
    let login = ["registry", "login", "-u", USER, "--pass-stdin", &place.address];
    refused(&mut regctl(&login), "wrong", "unauthorized")?;
    run_with_input(&mut regctl(&login), PASSWORD)?;

    run(&mut regctl(&["image", "copy", &format!("ocidir://{}:1", place.image.layout.display()), &app]))?;
    place.has("regctl/app", "1", &place.image.digest)?;
    place.did(Verb::Push, "regctl/app")?;
    let pulled = place.file("regctl");
    run(&mut regctl(&["image", "copy", &app, &format!("ocidir://{}:1", pulled.display())]))?;
    ensure!(contents(&pulled)? == contents(&place.image.layout)?, "not byte for byte what was pushed");
    place.did(Verb::Pull, "regctl/app")?;

    run(&mut regctl(&["image", "copy", &app, &copy]))?;
    place.has("regctl/copy", "1", &place.image.digest)?;
    place.did(Verb::Copy, "regctl/copy")?;
    let tags = run(&mut regctl(&["tag", "ls", &place.reference("regctl/copy")]))?;
    ensure!(tags.trim() == "1", "tags: {tags}");
    place.did(Verb::List, "regctl/copy")?;
    let catalog = run(&mut regctl(&["repo", "ls", &place.address]))?;
    ensure!(catalog.lines().eq(["regctl/app", "regctl/copy"]), "catalog: {catalog}");

    let note = ["artifact", "put", "--artifact-type", NOTE, "--subject", &app];
    run_with_input(&mut regctl(&note), "a note")?;
    let noted = run(&mut regctl(&["artifact", "get", "--subject", &app, "--filter-artifact-type", NOTE]))?;
    ensure!(noted == "a note", "{noted}");

    run(&mut regctl(&["tag", "delete", &copy]))?;
    place.lacks("regctl/copy", "1")?;
    place.has("regctl/copy", &place.image.digest, &place.image.digest)?;
    let image = format!("{}@{}", place.reference("regctl/copy"), place.image.digest);
    run(&mut regctl(&["manifest", "delete", &image]))?;
    place.lacks("regctl/copy", &place.image.digest)?;
    place.did(Verb::Delete, "regctl/copy")
}
