//! docker: an engine that finds the CA where Docker looks for those of a registry.

mod engine;

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use e2e::process::{run, run_with_input};

use crate::{
    docker::engine::{Images, Trust},
    image::{GREETING, Image},
    place::{PASSWORD, Place, USER, refused},
    verbs::Verb,
    ways::{each_way, left_out, there},
};

#[test]
fn docker_pushes_pulls_copies_builds_and_searches() -> Result<()> {
    if !there(&["docker"])? {
        return Ok(());
    }
    if let Err(error) = run(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"])) {
        eprintln!("{error:#}");
        return left_out("no Docker engine").map(drop);
    }
    each_way(&["docker", "skopeo", "curl"], script)
}

/// `docker ARGS…`, which builds without a builder of its own.
pub fn docker(place: &Place, args: &[&str]) -> Command {
    let mut command = place.trusting("docker", args);
    command.env("DOCKER_BUILDKIT", "0");
    command
}

fn script(place: &Place) -> Result<()> {
    let login = ["login", "-u", USER, "--password-stdin", &place.address];
    // Docker believes registries on loopback whatever they show.
    if !place.address.starts_with("127.") {
        refused(&mut docker(place, &login), PASSWORD, "certificate signed by unknown authority")?;
    }
    let _trust = Trust::tell(place)?;
    refused(&mut docker(place, &login), "wrong", "unauthorized")?;
    run_with_input(&mut docker(place, &login), PASSWORD)?;

    let [loaded, app, copy, built, whole] = ["loaded:1", "app:1", "copy:1", "built:1", "whole:1"]
        .map(|name| place.reference(&format!("docker/{name}")));
    let names = [&loaded, &app, &copy, &built, &whole].map(String::clone);
    let _images = Images(place, names.to_vec());
    push_and_pull(place, &loaded, &app)?;
    of_others(place, &whole)?;
    copy_and_build(place, &app, &copy, &built)?;
    let found = run(&mut docker(place, &["search", &place.reference("docker")]))?;
    ensure!(found.contains("docker/app") && found.contains("docker/copy"), "found: {found}");
    // A search is in no repository.
    place.did(Verb::List, "")?;
    index(place, &app)
}

/// Fails unless the image has the layers that were made, unpacked as they were before.
fn same_layers(place: &Place, image: &str) -> Result<()> {
    let layers =
        run(&mut docker(place, &["image", "inspect", "--format", "{{json .RootFS.Layers}}", image]))?;
    let layers: Vec<String> = serde_json::from_str(&layers)?;
    ensure!(layers == place.image.native.layers, "other layers came back: {layers:?}");
    Ok(())
}

/// What Docker packed itself, there and back.
fn push_and_pull(place: &Place, loaded: &str, app: &str) -> Result<()> {
    let archive = place.file("docker.tar").display().to_string();
    let (from, to) =
        (format!("oci:{}:1", place.image.layout.display()), format!("docker-archive:{archive}:{loaded}"));
    run(&mut place.trusting("skopeo", &["copy", "-q", &from, &to]))?;
    run(&mut docker(place, &["load", "-q", "-i", &archive]))?;
    run(&mut docker(place, &["tag", loaded, app]))?;
    let pushed = run(&mut docker(place, &["push", app]))?;
    run(&mut docker(place, &["rmi", loaded, app]))?;
    run(&mut docker(place, &["pull", "-q", app]))?;
    same_layers(place, app)?;
    let digests = run(&mut docker(place, &["image", "inspect", "--format", "{{.RepoDigests}}", app]))?;
    let digest = digests.trim().trim_end_matches(']').rsplit('@').next().unwrap_or_default();
    ensure!(pushed.contains(digest), "{digest} came back of: {pushed}");
    place.has("docker/app", "1", digest)?;
    place.did(Verb::Push, "docker/app")?;
    place.did(Verb::Pull, "docker/app")?;
    let container = run(&mut docker(place, &["create", app]))?;
    let file = place.file("from-docker").display().to_string();
    let copied = run(&mut docker(place, &["cp", &format!("{}:/{GREETING}", container.trim()), &file]));
    run(&mut docker(place, &["rm", container.trim()]))?;
    copied?;
    ensure!(fs::read_to_string(file)? == Image::greeting(), "another file came back");
    Ok(())
}

/// An index that another client has pushed.
fn of_others(place: &Place, whole: &str) -> Result<()> {
    run_with_input(
        &mut place.trusting("skopeo", &["login", "-u", USER, "--password-stdin", &place.address]),
        PASSWORD,
    )?;
    let (from, to) = (format!("oci:{}:1", place.image.layout.display()), format!("docker://{whole}"));
    run(&mut place.trusting("skopeo", &["copy", "-q", "--all", &from, &to]))?;
    let said = run(&mut docker(place, &["pull", whole]))?;
    ensure!(said.contains(&place.image.digest), "another digest: {said}");
    same_layers(place, whole)
}

/// A second name, for which the registry mounts what it has; and an image on top of the first one.
fn copy_and_build(place: &Place, app: &str, copy: &str, built: &str) -> Result<()> {
    run(&mut docker(place, &["tag", app, copy]))?;
    let said = run(&mut docker(place, &["push", copy]))?;
    ensure!(said.contains("Mounted from docker/app"), "{said}");
    place.did(Verb::Copy, "docker/copy")?;
    let context = place.file("context");
    fs::create_dir(&context)?;
    fs::write(context.join("more.txt"), "more")?;
    fs::write(context.join("Dockerfile"), format!("FROM {app}\nCOPY more.txt /more.txt\n"))?;
    run(docker(place, &["build", "-q", "-t", built]).arg(&context))?;
    let said = run(&mut docker(place, &["push", built]))?;
    let digest = said.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap_or("no digest");
    place.has("docker/built", "1", digest)
}

/// A list, which the command line makes without the engine.
fn index(place: &Place, app: &str) -> Result<()> {
    let list = place.reference("docker/list:1");
    run(&mut docker(place, &["manifest", "create", &list, app]))?;
    let said = run(&mut docker(place, &["manifest", "push", &list]))?;
    place.has("docker/list", "1", said.lines().last().unwrap_or("no digest"))
}
