//! Copies of signed images, which their signatures go with or not.

use anyhow::Result;
use e2e::process::run;

use crate::{
    cosign::{KEY, PUBLIC, VERIFY, by_digest, check, cosign},
    place::{Place, refused},
    verbs::Verb,
};

/// As older versions sign.
const OLD: &[&str] =
    &["sign", "--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"];

/// cosign takes the signatures with an image that have tags, as those of older versions, and leaves what refers to it.
pub fn by_cosign(place: &Place) -> Result<()> {
    let at = |repository: &str| place.reference(&format!("cosign/{repository}:1"));
    run(cosign(place, OLD).args(["-y", "--key", KEY, &by_digest(place, "cosign/old")]))?;
    for (from, to) in [("old", "old-copy"), ("signed", "bare")] {
        run(&mut cosign(place, &["copy", &at(from), &at(to)]))?;
        place.has(&format!("cosign/{to}"), "1", &place.image.digest)?;
        place.did(Verb::Copy, &format!("cosign/{to}"))?;
    }
    run(&mut check(place, VERIFY, PUBLIC, &at("old-copy")))?;
    refused(&mut check(place, VERIFY, PUBLIC, &at("bare")), "", "no signatures found")
}

/// oras takes what refers to it, too.
pub fn with_referrers(place: &Place) -> Result<()> {
    let (image, copy) = (place.reference("cosign/signed:1"), place.reference("cosign/copy:1"));
    let ca = place.ca().display().to_string();
    let ends = ["--from-ca-file", &ca, "--to-ca-file", &ca, "--no-tty"];
    run(place.client("oras", &["cp", "-r", &image, &copy]).args(ends))?;
    run(&mut check(place, VERIFY, PUBLIC, &copy)).map(drop)
}
