//! containerd by its CRI, as the kubelet asks it to pull the images of pods.

use anyhow::{Result, ensure};
use e2e::process::{run, run_with_input};
use serde_json::Value;

use crate::{
    containerd::daemon::Containerd,
    place::{PASSWORD, Place, USER, refused},
    verbs::Verb,
    ways::each_way_as_root,
};

#[test]
fn containerd_pulls_by_cri() -> Result<()> {
    each_way_as_root(&["crictl", "containerd", "ctr", "crane", "curl"], script)
}

fn script(place: &Place) -> Result<()> {
    let (app, layout) = (place.reference("cri/app:1"), place.image.layout.display().to_string());
    let login = ["auth", "login", "-u", USER, "--password-stdin", &place.address];
    run_with_input(&mut place.trusting("crane", &login), PASSWORD)?;
    run(&mut place.trusting("crane", &["push", &layout, &app]))?;

    let containerd = Containerd::start(place)?;
    containerd.answers("its CRI", || containerd.crictl(&["images", "-q"]))?;
    refused(&mut pull(&containerd, "wrong", &app), "", "401 Unauthorized")?;
    let listed = run(&mut containerd.crictl(&["images", "-q"]))?;
    ensure!(listed.is_empty(), "there is an image: {listed}");
    run(&mut pull(&containerd, PASSWORD, &app))?;
    let found: Value = serde_json::from_str(&run(&mut containerd.crictl(&["inspecti", &app]))?)?;
    let (status, digest) = (&found["status"], &place.image.digest);
    ensure!(status["id"] == place.image.native.config.as_str(), "another image came back: {status}");
    let by_digest = format!("{}@{digest}", place.reference("cri/app"));
    ensure!(status["repoDigests"][0] == by_digest.as_str(), "another digest: {status}");
    place.did(Verb::Pull, "cri/app")
}

/// The password comes with the request, as that of a pull Secret does.
fn pull(containerd: &Containerd, password: &str, image: &str) -> std::process::Command {
    containerd.crictl(&["pull", "--creds", &format!("{USER}:{password}"), image])
}
