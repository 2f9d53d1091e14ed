//! What a proxy says of clients counts only if the registry knows the proxy.

use anyhow::{Result, ensure};
use e2e::process::run_with_input;

use crate::{
    place::{PASSWORD, Place, USER, refused},
    ways::{Way, there},
};

#[test]
fn an_unknown_proxy_names_no_client_and_no_place_for_tokens() -> Result<()> {
    if !there(&["crane", "curl"])? {
        return Ok(());
    }
    for (way, known) in [(Way::NginxOfToday, true), (Way::NginxUnknown, false)] {
        let Some(place) = Place::start(way)? else { return Ok(()) };
        let challenge = place.ask_with("wrong", "/v2/")?;
        let realm = format!("realm=\"https://{}/token\"", place.address);
        ensure!(challenge.contains(&realm) == known, "{way:?}: {challenge}");
        ensure!(!way.audited(&place)?.is_empty(), "{way:?}: the wrong password is not in the audit log");
        let login = ["auth", "login", "-u", USER, "--password-stdin", &place.address];
        run_with_input(&mut place.trusting("crane", &login), PASSWORD)?;
        let mut catalog = place.trusting("crane", &["catalog", &place.address]);
        if known {
            run_with_input(&mut catalog, "")?;
        } else {
            // To a client the registry seems to want the password without TLS.
            refused(&mut catalog, "", "realm scheme \"http\" not allowed")?;
        }
    }
    Ok(())
}
