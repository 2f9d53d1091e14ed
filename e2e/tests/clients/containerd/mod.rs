//! containerd, by `ctr` and as the kubelet asks it.

mod cri;
mod daemon;

use std::fs::{self, File};

use anyhow::{Result, ensure};
use e2e::process::run;

use crate::{
    containerd::daemon::Containerd,
    place::{PASSWORD, Place, USER, refused},
    verbs::Verb,
    ways::each_way_as_root,
};

#[test]
fn containerd_pushes_pulls_and_copies() -> Result<()> {
    each_way_as_root(&["containerd", "ctr", "curl"], script)
}

fn script(place: &Place) -> Result<()> {
    let containerd = Containerd::start(place)?;
    let (app, archive) = (place.reference("ctr/app:1"), place.file("image.tar"));
    let hosts = format!("--hosts-dir={}", place.file("hosts").display());
    let (wrong, right) = (format!("--user={USER}:wrong"), format!("--user={USER}:{PASSWORD}"));
    place.image.archive(&archive)?;
    let import = ["images", "import", "--all-platforms", "--no-unpack", "--base-name", "made"];
    run(containerd.ctr(&import).arg(&archive))?;
    run(&mut containerd.ctr(&["images", "tag", "made:1", &app]))?;
    refused(&mut containerd.ctr(&["images", "push", &hosts, &wrong, &app]), "", "401 Unauthorized")?;
    run(&mut containerd.ctr(&["images", "push", &hosts, &right, &app]))?;
    place.has("ctr/app", "1", &place.image.digest)?;
    place.did(Verb::Push, "ctr/app")?;

    run(&mut containerd.ctr(&["images", "rm", "--sync", "made:1", &app]))?;
    ensure!(containerd.held()?.is_empty(), "what was removed is still there");
    let pull = ["images", "pull", "--all-platforms", "--snapshotter=native", &hosts];
    refused(containerd.ctr(&pull).args([&wrong, &app]), "", "401 Unauthorized")?;
    run(containerd.ctr(&pull).args([&right, &app]))?;
    place.did(Verb::Pull, "ctr/app")?;
    same(place, &containerd)?;
    copy(place, &containerd, &[&hosts, &right], &app)
}

/// A second name. Of what it has pulled containerd knows from where, and asks for a mount: of two configurations and three layers.
fn copy(place: &Place, containerd: &Containerd, access: &[&str], app: &str) -> Result<()> {
    let copy = place.reference("ctr/copy:1");
    run(&mut containerd.ctr(&["images", "tag", app, &copy]))?;
    run(containerd.ctr(&["images", "push"]).args(access).arg(&copy))?;
    place.has("ctr/copy", "1", &place.image.digest)?;
    place.mounted("ctr/copy", 5)?;
    place.did(Verb::Copy, "ctr/copy")
}

/// Fails unless all came back as it was pushed.
fn same(place: &Place, containerd: &Containerd) -> Result<()> {
    let source = e2e::layout::contents(&place.image.layout)?;
    ensure!(containerd.held()?.len() == source.len(), "not all that was pushed came back");
    for (digest, bytes) in source {
        let file = place.file("blob");
        let mut get = containerd.ctr(&["content", "get", &format!("sha256:{digest}")]);
        ensure!(get.stdout(File::create(&file)?).status()?.success(), "no {digest} came back");
        ensure!(fs::read(&file)? == bytes, "{digest} is not byte for byte what was pushed");
    }
    Ok(())
}
