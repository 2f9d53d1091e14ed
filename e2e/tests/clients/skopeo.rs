//! skopeo: between a folder and the registry, and within the registry; one image, or all of a repository.

use std::process::Command;

use anyhow::{Result, ensure};
use e2e::{
    layout::contents,
    process::{run, run_with_input},
};
use serde_json::{Value, json};

use crate::{
    place::{PASSWORD, Place, USER, refused},
    verbs::Verb,
    ways::each_way,
};

#[test]
fn skopeo_pushes_pulls_lists_copies_syncs_and_deletes() -> Result<()> {
    each_way(&["skopeo", "curl"], script)
}

fn skopeo(place: &Place, args: &[&str]) -> Command {
    place.trusting("skopeo", args)
}

fn script(place: &Place) -> Result<()> {
    let skopeo = |args: &[&str]| skopeo(place, args);
    let at = |reference: &str| format!("docker://{}", place.reference(reference));
    let (app, copy) = (at("skopeo/app:1"), at("skopeo/copy:1"));
    let login = ["login", "-u", USER, "--password-stdin", &place.address];
    refused(&mut skopeo(&login), "wrong", "invalid username/password")?;
    run_with_input(&mut skopeo(&login), PASSWORD)?;

    let all = ["copy", "--all", "--preserve-digests"];
    run(skopeo(&all).args([&format!("oci:{}:1", place.image.layout.display()), &app]))?;
    place.has("skopeo/app", "1", &place.image.digest)?;
    place.did(Verb::Push, "skopeo/app")?;
    let pulled = place.file("skopeo");
    run(skopeo(&all).args([&app, &format!("oci:{}:1", pulled.display())]))?;
    ensure!(contents(&pulled)? == contents(&place.image.layout)?, "not byte for byte what was pushed");
    place.did(Verb::Pull, "skopeo/app")?;

    run(skopeo(&all).args([&app, &copy]))?;
    place.has("skopeo/copy", "1", &place.image.digest)?;
    place.did(Verb::Copy, "skopeo/copy")?;
    let listed: Value = serde_json::from_str(&run(&mut skopeo(&["list-tags", &at("skopeo/copy")]))?)?;
    ensure!(listed["Tags"] == json!(["1"]), "tags: {listed}");
    place.did(Verb::List, "skopeo/copy")?;
    run(&mut skopeo(&["delete", &copy]))?;
    place.lacks("skopeo/copy", "1")?;
    place.did(Verb::Delete, "skopeo/copy")?;
    sync(place)
}

/// All tags of a repository, which it lists first, into a folder; and from there into another repository.
fn sync(place: &Place) -> Result<()> {
    let (from, to) = (place.reference("skopeo/app"), place.reference("skopeo/synced"));
    let folder = place.file("synced").display().to_string();
    let sync = ["sync", "--all", "--preserve-digests"];
    run(skopeo(place, &sync).args(["--src", "docker", "--dest", "dir", &from, &folder]))?;
    run(skopeo(place, &sync).args(["--src", "dir", "--dest", "docker", &folder, &to]))?;
    place.has("skopeo/synced/app", "1", &place.image.digest)?;
    place.did(Verb::List, "skopeo/app")?;
    place.did(Verb::Copy, "skopeo/synced/app")
}
