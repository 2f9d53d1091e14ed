//! cosign: signs, attests and verifies through referrers, without any service on the Internet.

mod copies;

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use e2e::process::{run, run_with_input};

use crate::{
    place::{PASSWORD, Place, USER, refused},
    verbs::Verb,
    ways::each_way,
};

const VERIFY: &[&str] = &["verify", "--insecure-ignore-tlog"];
const VERIFY_ATTESTATION: &[&str] = &["verify-attestation", "--type=custom", "--insecure-ignore-tlog"];
const KEY: &str = "ours.key";
const PUBLIC: &str = "ours.pub";

#[test]
fn cosign_signs_attests_verifies_lists_copies_and_cleans() -> Result<()> {
    each_way(&["cosign", "crane", "oras", "curl"], script)
}

fn plain(place: &Place, args: &[&str]) -> Command {
    let mut command = place.client("cosign", args);
    command.current_dir(place.file("")).env("COSIGN_PASSWORD", "of the keys");
    command
}

/// `cosign ARGS…` with the registry's CA.
fn cosign(place: &Place, args: &[&str]) -> Command {
    let mut command = plain(place, args);
    command.arg("--registry-cacert").arg(place.ca());
    command
}

/// `cosign VERB…`, with a list of services that is empty: no log and no clock is asked.
fn alone(place: &Place, verb: &[&str], key: &str, image: &str) -> Command {
    let services = ["--signing-config=services.json", "--trusted-root=root.json", "-y", "--key", key, image];
    cosign(place, &[verb, &services].concat())
}

/// Looks for what this key has signed.
fn check(place: &Place, what: &[&str], key: &str, image: &str) -> Command {
    cosign(place, &[what, &["--key", key, image]].concat())
}

fn script(place: &Place) -> Result<()> {
    for keys in ["ours", "theirs"] {
        run(&mut plain(place, &["generate-key-pair", "--output-key-prefix", keys]))?;
    }
    fs::write(place.file("services.json"), run(&mut plain(place, &["signing-config", "create"]))?)?;
    fs::write(place.file("root.json"), run(&mut plain(place, &["trusted-root", "create"]))?)?;
    run_with_input(&mut plain(place, &["login", "-u", USER, "--password-stdin", &place.address]), PASSWORD)?;
    let layout = place.image.layout.display().to_string();
    for repository in ["signed", "unsigned", "theirs", "old"] {
        let image = place.reference(&format!("cosign/{repository}:1"));
        run(&mut place.trusting("crane", &["push", &layout, &image]))?;
    }
    sign(place)?;
    verify(place)?;
    list(place)?;
    copies::by_cosign(place)?;
    copies::with_referrers(place)?;
    clean(place)
}

fn by_digest(place: &Place, repository: &str) -> String {
    format!("{}@{}", place.reference(repository), place.image.digest)
}

/// Signs and attests one, and lets another key sign another one.
fn sign(place: &Place) -> Result<()> {
    let image = by_digest(place, "cosign/signed");
    let wrong = ["sign", "--registry-username", USER, "--registry-password", "wrong"];
    refused(&mut alone(place, &wrong, KEY, &image), "", "UNAUTHORIZED: authentication required")?;
    run(&mut alone(place, &["sign"], KEY, &image))?;
    fs::write(place.file("note.json"), r#"{"note": "made by a test"}"#)?;
    run(&mut alone(place, &["attest", "--type=custom", "--predicate=note.json"], KEY, &image))?;
    place.did(Verb::Push, "cosign/signed")?;
    run(&mut alone(place, &["sign"], "theirs.key", &by_digest(place, "cosign/theirs"))).map(drop)
}

/// Takes what our key signed, and nothing else.
fn verify(place: &Place) -> Result<()> {
    let at = |repository: &str| place.reference(&format!("cosign/{repository}:1"));
    for what in [VERIFY, VERIFY_ATTESTATION] {
        run(&mut check(place, what, PUBLIC, &at("signed")))?;
    }
    place.did(Verb::Pull, "cosign/signed")?;
    let no_signature = [(VERIFY, "no signatures found"), (VERIFY_ATTESTATION, "no matching attestations")];
    for (what, said) in no_signature {
        refused(&mut check(place, what, PUBLIC, &at("unsigned")), "", said)?;
    }
    refused(&mut check(place, VERIFY, PUBLIC, &at("theirs")), "", "failed to verify signature")?;
    run(&mut check(place, VERIFY, "theirs.pub", &at("theirs")))?;
    // Somebody lets the tag stand for something else.
    let other = format!("{}@{}", place.reference("cosign/theirs"), place.image.native.manifest);
    run(&mut place.trusting("crane", &["tag", &other, "1"]))?;
    refused(&mut check(place, VERIFY, "theirs.pub", &at("theirs")), "", "no signatures found")
}

/// What refers to an image.
fn list(place: &Place) -> Result<()> {
    let tree = |repository: &str| run(&mut cosign(place, &["tree", &place.reference(repository)]));
    let (signed, unsigned) = (tree("cosign/signed:1")?, tree("cosign/unsigned:1")?);
    for kind in ["cosign/sign/v1", "cosign.sigstore.dev/attestation/v1"] {
        ensure!(signed.contains(&format!("{kind} artifacts via OCI referrer")), "no {kind}: {signed}");
    }
    ensure!(unsigned.contains("No Supply Chain Security Related Artifacts found"), "{unsigned}");
    place.did(Verb::Referrers, "cosign/signed")
}

/// Takes the signatures away, without which nothing is verified any more; those of a copy stay.
fn clean(place: &Place) -> Result<()> {
    let image = place.reference("cosign/signed:1");
    run(&mut cosign(place, &["clean", "-f", &image]))?;
    place.did(Verb::Delete, "cosign/signed")?;
    refused(&mut check(place, VERIFY, PUBLIC, &image), "", "no signatures found")?;
    refused(&mut check(place, VERIFY_ATTESTATION, PUBLIC, &image), "", "no matching attestations")?;
    run(&mut check(place, VERIFY, PUBLIC, &place.reference("cosign/copy:1"))).map(drop)
}
