//! podman: an image packed by itself, one as it was pushed by others, and a list of both platforms.

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
fn podman_pushes_pulls_lists_and_copies() -> Result<()> {
    each_way_as_root(&["podman", "skopeo", "curl"], script)
}

fn podman(place: &Place, args: &[&str]) -> Command {
    own_storage(place, "podman", args)
}

fn script(place: &Place) -> Result<()> {
    let (app, certs) = (place.reference("podman/app:1"), format!("--cert-dir={}", place.certs().display()));
    let login = ["login", &certs, "-u", USER, "--password-stdin", &place.address];
    refused(&mut podman(place, &login), "wrong", "invalid username/password")?;
    run_with_input(&mut podman(place, &login), PASSWORD)?;

    let id = run(&mut podman(place, &["pull", "-q", "oci:layout:1"]))?;
    ensure!(place.image.native.config.ends_with(id.trim()), "another image: {id}");
    run(&mut podman(place, &["tag", id.trim(), &app]))?;
    let digest = place.file("podman-digest");
    run(podman(place, &["push", &certs, "--digestfile"]).arg(&digest).arg(&app))?;
    let digest = fs::read_to_string(digest)?;
    place.has("podman/app", "1", &digest)?;
    place.did(Verb::Push, "podman/app")?;
    pull(place, &certs, &app, &digest)?;
    copy(place, &certs, &app, &digest)?;

    let tags = run(&mut podman(place, &["search", "--list-tags", &place.reference("podman/app")]))?;
    ensure!(tags.contains(&place.reference("podman/app")) && tags.contains(" 1"), "tags: {tags}");
    place.did(Verb::List, "podman/app")?;
    let found = run(&mut podman(place, &["search", &place.reference("podman")]))?;
    ensure!(found.contains(&place.reference("podman/app")), "found: {found}");
    index(place, &certs)
}

/// Pulls what is not here any more, and looks into it.
fn pull(place: &Place, certs: &str, app: &str, digest: &str) -> Result<()> {
    run(&mut podman(place, &["rmi", "-af"]))?;
    let id = run(&mut podman(place, &["pull", "-q", certs, app]))?;
    ensure!(place.image.native.config.ends_with(id.trim()), "another image came back: {id}");
    let came = run(&mut podman(place, &["image", "inspect", "--format", "{{.Digest}}", app]))?;
    ensure!(came.trim() == digest, "another digest came back: {came}");
    let tree = run(&mut podman(place, &["image", "mount", app]))?;
    let greeting = fs::read_to_string(format!("{}/{GREETING}", tree.trim()))?;
    ensure!(greeting == Image::greeting(), "{greeting}");
    run(&mut podman(place, &["image", "umount", "-a"]))?;
    place.did(Verb::Pull, "podman/app")
}

/// A second name, for which the registry mounts what it has.
fn copy(place: &Place, certs: &str, app: &str, digest: &str) -> Result<()> {
    let copy = place.reference("podman/copy:1");
    run(&mut podman(place, &["tag", app, &copy]))?;
    run(&mut podman(place, &["push", certs, &copy]))?;
    place.has("podman/copy", "1", digest)?;
    place.mounted("podman/copy", place.image.native.layers.len())?;
    place.did(Verb::Copy, "podman/copy")
}

/// Both platforms, as a list of podman's own, which takes the manifests of another repository and writes them anew.
fn index(place: &Place, certs: &str) -> Result<()> {
    let (list, all) =
        (place.reference("podman/list:1"), format!("docker://{}", place.reference("podman/all:1")));
    let local = format!("oci:{}:1", place.image.layout.display());
    run(&mut place.trusting("skopeo", &["copy", "-q", "--all", &local, &all]))?;
    run(&mut podman(place, &["manifest", "create", &list]))?;
    run(&mut podman(place, &["manifest", "add", "--all", certs, &list, &all]))?;
    run(&mut podman(place, &["manifest", "push", "--all", certs, &list, &format!("docker://{list}")]))?;
    let pushed = place.ask("/v2/podman/list/manifests/1")?;
    ensure!(pushed.matches("\"platform\"").count() == 2, "not both platforms: {pushed}");
    run(&mut podman(place, &["rmi", "-af"]))?;
    let id = run(&mut podman(place, &["pull", "-q", certs, &list]))?;
    ensure!(
        place.image.native.config.ends_with(id.trim()),
        "the list has another image for this machine: {id}"
    );
    Ok(())
}
