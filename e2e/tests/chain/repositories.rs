//! What repositories may hold, and what is said in them: settings of the object, which running pods take over.

use std::{process::Command, time::Duration};

use anyhow::{Result, ensure};
use e2e::{
    namespace::Namespace,
    object::{patch, settled},
    process::{eventually, must_fail, run, run_with_input},
    registry::{Registry, hello_layout},
};

use crate::clients::six_line_registry;

/// Promised of all that running pods take over.
const PROMISE: Duration = Duration::from_secs(90);

#[test]
fn a_push_beyond_the_quota_is_refused_and_says_why() -> Result<()> {
    let namespace = Namespace::create("e2e-quota")?;
    let registry = six_line_registry(namespace.name())?;
    let (layout, pods, mut number) = (hello_layout()?, registry.pods()?, 0);
    let first = registry.reference("team/hello:1");
    run(&mut registry.crane(&["push", &layout, &first]))?;
    // Of another name each time: what is there already is not pushed again.
    let mut push = |team: &str| {
        number += 1;
        registry.crane(&["push", &layout, &registry.reference(&format!("{team}/hello-{number}:1"))])
    };
    let quota = r#"{"quota": {"repositories": [{"repositories": ["team/**"], "size": "1Ki"}]}}"#;
    patch(namespace.name(), "team", quota)?;
    settled(namespace.name(), "team")?;
    eventually(PROMISE, "pushes to be refused", || {
        let said = must_fail(&mut push("team")).ok();
        Ok(said.filter(|said| said.contains("no room left") && said.contains("1024")))
    })?;
    run(&mut push("other"))?;
    run(&mut registry.crane(&["validate", "--remote", &first]))?;
    patch(namespace.name(), "team", r#"{"quota": null}"#)?;
    eventually(PROMISE, "pushes to be taken", || run(&mut push("team")).map(Some))?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}

/// `Warning` headers of an answer to `admin`.
fn warnings(registry: &Registry, path: &str) -> Result<Vec<String>> {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-K", "-", "-o", "/dev/null", "-D", "-", "--max-time", "10", "--cacert"]);
    curl.arg(registry.ca_file()).arg(format!("https://{}{path}", registry.address));
    let head = run_with_input(&mut curl, &format!("user = \"admin:{}\"\n", registry.password))?;
    let said = head.lines().filter_map(|line| line.split_once(": "));
    Ok(said
        .filter(|(name, _)| name.eq_ignore_ascii_case("warning"))
        .map(|(_, text)| text.trim().to_owned())
        .collect())
}

#[test]
fn warnings_are_shown_where_they_are_meant() -> Result<()> {
    let namespace = Namespace::create("e2e-warnings")?;
    let registry = six_line_registry(namespace.name())?;
    let pods = registry.pods()?;
    ensure!(warnings(&registry, "/v2/")?.is_empty(), "there is nothing to say yet");
    let said = r#"{"warnings": [{"text": "moves on \"Friday\""}, {"text": "no longer built", "repositories": ["old/**"]}]}"#;
    patch(namespace.name(), "team", said)?;
    settled(namespace.name(), "team")?;
    let (everywhere, there) = (r#"299 - "moves on \"Friday\"""#, r#"299 - "no longer built""#);
    eventually(PROMISE, "the warnings", || {
        Ok((warnings(&registry, "/v2/old/hello/tags/list")? == [everywhere, there]).then_some(()))
    })?;
    ensure!(warnings(&registry, "/v2/new/hello/tags/list")? == [everywhere], "said elsewhere");
    patch(namespace.name(), "team", r#"{"warnings": null}"#)?;
    eventually(PROMISE, "silence", || Ok(warnings(&registry, "/v2/")?.is_empty().then_some(())))?;
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}
