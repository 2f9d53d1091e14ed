//! Images of podman and buildah, in a folder of the script.

use std::process::Command;

use crate::place::Place;

/// `program ARGS…` with images of this script alone.
pub fn own_storage(place: &Place, program: &str, args: &[&str]) -> Command {
    let at = |name: &str| place.file(&format!("{program}-{name}")).display().to_string();
    let (root, run) = (at("root"), at("run"));
    let storage = ["--root", &root, "--runroot", &run, "--storage-driver", "vfs"];
    let mut command = place.trusting(program, &[&storage[..], args].concat());
    // They take the path of a layout for its name, and folders of tests have names that no image may have.
    command.current_dir(place.file(""));
    command
}
