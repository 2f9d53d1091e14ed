//! helm: charts are artifacts of a registry.

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use e2e::process::{must_fail, run, run_with_input};

use crate::{
    place::{PASSWORD, Place, USER, refused},
    verbs::Verb,
    ways::each_way,
};

#[test]
fn helm_pushes_pulls_and_finds_charts() -> Result<()> {
    each_way(&["helm", "curl"], script)
}

/// `helm ARGS…` with the registry's CA.
fn helm(place: &Place, args: &[&str]) -> Command {
    let mut command = place.client("helm", args);
    command.arg("--ca-file").arg(place.ca()).current_dir(place.file(""));
    command.env("HELM_REGISTRY_CONFIG", place.file("helm.json"));
    command
}

fn script(place: &Place) -> Result<()> {
    let helm = |args: &[&str]| helm(place, args);
    run(Command::new("helm").args(["create", "note"]).current_dir(place.file("")))?;
    for version in ["0.1.0", "0.2.0"] {
        let package = ["package", "note", "--version", version];
        run(Command::new("helm").args(package).current_dir(place.file("")))?;
    }
    let charts = format!("oci://{}/charts", place.address);
    let chart = format!("{charts}/note");
    let push = |version: &str| helm(&["push", &format!("note-{version}.tgz"), &charts]);
    must_fail(&mut push("0.1.0"))?;
    let login = ["registry", "login", &place.address, "-u", USER, "--password-stdin"];
    refused(&mut helm(&login), "wrong", "unauthorized: authentication required")?;
    run_with_input(&mut helm(&login), PASSWORD)?;

    run(&mut push("0.1.0"))?;
    run(&mut push("0.2.0"))?;
    place.did(Verb::Push, "charts/note")?;
    let shown = run(&mut helm(&["show", "chart", &chart, "--version", "0.1.0"]))?;
    ensure!(shown.contains("name: note"), "{shown}");
    fs::create_dir(place.file("pulled"))?;
    run(&mut helm(&["pull", &chart, "--version", "0.1.0", "--destination", "pulled"]))?;
    let (pushed, pulled) = (place.file("note-0.1.0.tgz"), place.file("pulled/note-0.1.0.tgz"));
    ensure!(fs::read(pushed)? == fs::read(pulled)?, "the chart changed on its way");
    place.did(Verb::Pull, "charts/note")?;
    versions(place, &chart)
}

/// helm shows no list, but looks for the newest version of a range in that of the tags, which an exact version does not need.
fn versions(place: &Place, chart: &str) -> Result<()> {
    ensure!(!place.seen(Verb::List, "charts/note")?, "helm has read the list before");
    for (range, version) in [("", "0.2.0"), (">=0.1.0", "0.2.0"), ("<0.2.0", "0.1.0"), ("~0.1.0", "0.1.0")] {
        let found = run(&mut helm(place, &["show", "chart", chart, "--version", range]))?;
        ensure!(found.contains(&format!("\nversion: {version}\n")), "of {range:?} helm finds {found}");
    }
    fs::create_dir(place.file("older"))?;
    run(&mut helm(place, &["pull", chart, "--version", "<0.2.0", "--destination", "older"]))?;
    ensure!(place.file("older/note-0.1.0.tgz").exists(), "helm pulls another version");
    let newer = ["show", "chart", chart, "--version", ">0.2.0"];
    refused(&mut helm(place, &newer), "", "could not locate a version")?;
    place.did(Verb::List, "charts/note")
}
