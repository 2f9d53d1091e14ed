//! skopeo: between a folder and the registry, and within the registry.

use anyhow::{Result, ensure};
use e2e::{
    layout::contents,
    process::{run, run_with_input},
};
use serde_json::{Value, json};

use crate::{
    place::{PASSWORD, Place, USER, refused},
    ways::each_way,
};

#[test]
fn skopeo_pushes_pulls_lists_copies_and_deletes() -> Result<()> {
    each_way(&["skopeo", "curl"], script)
}

fn script(place: &Place) -> Result<()> {
    let skopeo = |args: &[&str]| place.trusting("skopeo", args);
    let at = |reference: &str| format!("docker://{}", place.reference(reference));
    let (app, copy) = (at("skopeo/app:1"), at("skopeo/copy:1"));
    let login = ["login", "-u", USER, "--password-stdin", &place.address];
    refused(&mut skopeo(&login), "wrong", "invalid username/password")?;
    run_with_input(&mut skopeo(&login), PASSWORD)?;

    let all = ["copy", "--all", "--preserve-digests"];
    run(skopeo(&all).args([&format!("oci:{}:1", place.image.layout.display()), &app]))?;
    place.has("skopeo/app", "1", &place.image.digest)?;
    let pulled = place.file("skopeo");
    run(skopeo(&all).args([&app, &format!("oci:{}:1", pulled.display())]))?;
    ensure!(contents(&pulled)? == contents(&place.image.layout)?, "not byte for byte what was pushed");

    run(skopeo(&all).args([&app, &copy]))?;
    place.has("skopeo/copy", "1", &place.image.digest)?;
    let listed: Value = serde_json::from_str(&run(&mut skopeo(&["list-tags", &at("skopeo/copy")]))?)?;
    ensure!(listed["Tags"] == json!(["1"]), "tags: {listed}");
    run(&mut skopeo(&["delete", &copy]))?;
    place.lacks("skopeo/copy", "1")
}
