//! buildah: builds on an image of the registry.

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use e2e::process::{run, run_with_input};

use crate::{
    image::{GREETING, Image},
    own_storage::own_storage,
    place::{PASSWORD, Place, USER, refused},
    verbs::Verb,
    ways::each_way_as_root,
};

#[test]
fn buildah_builds_pushes_pulls_and_copies() -> Result<()> {
    each_way_as_root(&["buildah", "skopeo", "curl"], script)
}

fn buildah(place: &Place, args: &[&str]) -> Command {
    own_storage(place, "buildah", args)
}

fn script(place: &Place) -> Result<()> {
    let (base, app) = (place.reference("buildah/base:1"), place.reference("buildah/app:1"));
    let certs = format!("--cert-dir={}", place.certs().display());
    let login = ["login", &certs, "-u", USER, "--password-stdin", &place.address];
    refused(&mut buildah(place, &login), "wrong", "invalid username/password")?;
    run_with_input(&mut buildah(place, &login), PASSWORD)?;

    let local = format!("oci:{}:1", place.image.layout.display());
    run(&mut place.trusting("skopeo", &["copy", "-q", "--all", &local, &format!("docker://{base}")]))?;
    let context = place.file("context");
    fs::create_dir(&context)?;
    fs::write(context.join("more.txt"), "more")?;
    fs::write(context.join("Containerfile"), format!("FROM {base}\nCOPY more.txt /more.txt\n"))?;
    let id = run(buildah(place, &["build", &certs, "-q", "-t", &app]).arg(&context))?;
    let digest = place.file("buildah-digest");
    run(buildah(place, &["push", &certs, "--digestfile"]).arg(&digest).arg(&app))?;
    let digest = fs::read_to_string(digest)?;
    place.has("buildah/app", "1", &digest)?;
    place.did(Verb::Push, "buildah/app")?;

    run(&mut buildah(place, &["rmi", "-af"]))?;
    let came = run(&mut buildah(place, &["pull", "-q", &certs, &app]))?;
    ensure!(came == id, "another image came back: {came}");
    place.did(Verb::Pull, "buildah/app")?;
    look(place, &app)?;
    copy(place, &certs, &app, &digest)?;
    list(place, &certs, &app, &digest)
}

/// What is in the image that came back.
fn look(place: &Place, app: &str) -> Result<()> {
    let container = run(&mut buildah(place, &["from", "--pull-never", app]))?;
    let tree = run(&mut buildah(place, &["mount", container.trim()]))?;
    let file = |name: &str| fs::read_to_string(format!("{}/{name}", tree.trim()));
    ensure!(file(GREETING)? == Image::greeting() && file("more.txt")? == "more", "other files came back");
    run(&mut buildah(place, &["rm", "-a"])).map(drop)
}

/// A second name, for which the registry mounts what it has: the layers of the base, and the one on top.
fn copy(place: &Place, certs: &str, app: &str, digest: &str) -> Result<()> {
    let copy = place.reference("buildah/copy:1");
    run(&mut buildah(place, &["tag", app, &copy]))?;
    run(&mut buildah(place, &["push", certs, &copy]))?;
    place.has("buildah/copy", "1", digest)?;
    place.mounted("buildah/copy", place.image.native.layers.len() + 1)?;
    place.did(Verb::Copy, "buildah/copy")
}

/// A list of one, which holds the manifest as it was pushed.
fn list(place: &Place, certs: &str, app: &str, digest: &str) -> Result<()> {
    let there = format!("docker://{}", place.reference("buildah/list:1"));
    run(&mut buildah(place, &["manifest", "create", "list"]))?;
    run(&mut buildah(place, &["manifest", "add", "list", app]))?;
    run(&mut buildah(place, &["manifest", "push", "--all", certs, "list", &there]))?;
    let pushed = place.ask("/v2/buildah/list/manifests/1")?;
    ensure!(pushed.contains(digest), "the list lacks {digest}: {pushed}");
    Ok(())
}
