//! helm: charts are artifacts of a registry.

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use e2e::process::{must_fail, run, run_with_input};

use crate::{
    place::{PASSWORD, Place, USER, refused},
    ways::each_way,
};

#[test]
fn helm_pushes_pulls_and_finds_charts() -> Result<()> {
    each_way(&["helm", "curl"], script)
}

fn script(place: &Place) -> Result<()> {
    let helm = |args: &[&str]| {
        let mut command = place.client("helm", args);
        command.arg("--ca-file").arg(place.ca()).current_dir(place.file(""));
        command.env("HELM_REGISTRY_CONFIG", place.file("helm.json"));
        command
    };
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
    let shown = run(&mut helm(&["show", "chart", &chart, "--version", "0.1.0"]))?;
    ensure!(shown.contains("name: note"), "{shown}");
    fs::create_dir(place.file("pulled"))?;
    run(&mut helm(&["pull", &chart, "--version", "0.1.0", "--destination", "pulled"]))?;
    let (pushed, pulled) = (place.file("note-0.1.0.tgz"), place.file("pulled/note-0.1.0.tgz"));
    ensure!(fs::read(pushed)? == fs::read(pulled)?, "the chart changed on its way");
    let newest = run(&mut helm(&["show", "chart", &chart]))?;
    ensure!(newest.contains("version: 0.2.0"), "helm finds another version in the list: {newest}");
    Ok(())
}
