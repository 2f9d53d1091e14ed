//! The ways to a registry, each of which every client goes.

use std::{
    collections::BTreeSet,
    env,
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    iter,
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use e2e::process::run;
use serde_json::Value;

use crate::{
    nginx::{OF_2014, OF_TODAY},
    place::{Place, USER},
    setup::host,
};

/// How clients come to the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To its own TLS, with the password in each request.
    Direct,
    /// Through the site file of 2014, with the password in each request.
    NginxOf2014,
    /// Through a proxy that says who the client is and what it asked for; with a token in each request.
    NginxOfToday,
    /// As before, but the registry does not know this proxy.
    NginxUnknown,
}

impl Way {
    /// The site file of the nginx on this way.
    pub fn site(self) -> Option<&'static str> {
        match self {
            Self::Direct => None,
            Self::NginxOf2014 => Some(OF_2014),
            Self::NginxOfToday | Self::NginxUnknown => Some(OF_TODAY),
        }
    }

    /// From where clients come, as the registry knows it.
    fn seen_as(self) -> String {
        match self {
            Self::Direct | Self::NginxOfToday => host(),
            Self::NginxOf2014 | Self::NginxUnknown => "127.0.0.1".to_owned(),
        }
    }

    /// What the audit log has, if all of it comes from where clients are seen on this way.
    pub fn audited(self, place: &Place) -> Result<Vec<Value>> {
        let (lines, expected) = (place.audited()?, self.seen_as());
        for line in &lines {
            ensure!(line["address"] == expected.as_str(), "not from {expected}: {line}");
        }
        Ok(lines)
    }

    /// Fails unless the audit log names the account, and has the wrong password that each script tries.
    fn names_clients(self, place: &Place) -> Result<()> {
        let lines = self.audited(place)?;
        let pushed = lines.iter().any(|line| line["action"] == "push" && line["user"] == USER);
        let denied = lines.iter().any(|line| line["decision"] == "denied");
        ensure!(pushed && denied, "pushed: {pushed}, denied: {denied}: {lines:?}");
        Ok(())
    }
}

/// Runs `script` of a client on each way. It needs these programs, the first of which is the client.
pub fn each_way(programs: &[&str], script: impl Fn(&Place) -> Result<()>) -> Result<()> {
    if !there(programs)? {
        return Ok(());
    }
    let ways = [Way::Direct, Way::NginxOf2014, Way::NginxOfToday];
    let mut done = Vec::new();
    for way in ways {
        let Some(place) = Place::start(way)? else { continue };
        let result = script(&place).and_then(|()| way.names_clients(&place));
        result.with_context(|| format!("{way:?}, where the registry logged:\n{}", place.log()))?;
        done.push(place.verbs.take());
    }
    ensure!(done.iter().all(|verbs| *verbs == done[0]), "not the same on each way: {done:?}");
    if done.len() == ways.len() { write_down(programs[0], &done[0]) } else { Ok(()) }
}

/// Tells the script that counts them that this client has gone every way, and what it has done on each.
fn write_down(client: &str, verbs: &BTreeSet<&str>) -> Result<()> {
    let Some(file) = env::var_os("CLIENTS_DONE") else { return Ok(()) };
    let mut file = OpenOptions::new().append(true).open(file)?;
    let line: Vec<&str> = iter::once(client).chain(verbs.iter().copied()).collect();
    file.write_all(format!("{}\n", line.join(" ")).as_bytes()).map_err(Into::into)
}

/// As [`each_way`], for what only root may do.
pub fn each_way_as_root(programs: &[&str], script: impl Fn(&Place) -> Result<()>) -> Result<()> {
    if run(Command::new("id").arg("-u"))?.trim() != "0" {
        return left_out("no right to be root").map(drop);
    }
    each_way(programs, script)
}

/// Whether the machine has these programs; where they are required, that it has not is an error.
pub fn there(programs: &[&str]) -> Result<bool> {
    for program in programs {
        match Command::new(program).arg("--version").output() {
            Err(error) if error.kind() == ErrorKind::NotFound => return left_out(&format!("no {program}")),
            other => drop(other.with_context(|| (*program).to_owned())?),
        }
    }
    Ok(true)
}

/// Says that a test is left out, and why; where clients are required this is an error.
pub fn left_out(why: &str) -> Result<bool> {
    if env::var_os("CLIENTS_REQUIRED").is_some() {
        bail!("{why} on this machine");
    }
    eprintln!("skipped: {why} on this machine");
    Ok(false)
}
