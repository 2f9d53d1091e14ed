//! crane: does not look at a password when it logs in, but when it first needs it.

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

#[test]
fn crane_pushes_pulls_lists_copies_and_deletes() -> Result<()> {
    each_way(&["crane", "curl"], script)
}

fn script(place: &Place) -> Result<()> {
    let crane = |args: &[&str]| place.trusting("crane", args);
    let (app, copy) = (place.reference("crane/app:1"), place.reference("crane/copy:1"));
    let layout = place.image.layout.display().to_string();
    let login = ["auth", "login", "-u", USER, "--password-stdin", &place.address];
    run_with_input(&mut crane(&login), "wrong")?;
    refused(&mut crane(&["push", &layout, &app]), "", "unauthorized")?;
    run_with_input(&mut crane(&login), PASSWORD)?;

    run(&mut crane(&["push", &layout, &app]))?;
    place.has("crane/app", "1", &place.image.digest)?;
    place.did(Verb::Push, "crane/app")?;
    let pulled = place.file("crane");
    run(crane(&["pull", "--format=oci", &app]).arg(&pulled))?;
    ensure!(contents(&pulled)? == contents(&place.image.layout)?, "not byte for byte what was pushed");
    place.did(Verb::Pull, "crane/app")?;
    run(&mut crane(&["validate", "--remote", &app]))?;

    run(&mut crane(&["copy", &app, &copy]))?;
    place.has("crane/copy", "1", &place.image.digest)?;
    place.did(Verb::Copy, "crane/copy")?;
    run(&mut crane(&["tag", &app, "second"]))?;
    let tags = run(&mut crane(&["ls", &place.reference("crane/app")]))?;
    ensure!(tags.lines().eq(["1", "second"]), "tags: {tags}");
    place.did(Verb::List, "crane/app")?;
    let catalog = run(&mut crane(&["catalog", &place.address]))?;
    ensure!(catalog.lines().eq(["crane/app", "crane/copy"]), "catalog: {catalog}");
    run(&mut crane(&["delete", &copy]))?;
    place.lacks("crane/copy", "1")?;
    place.did(Verb::Delete, "crane/copy")
}
