//! What repositories may hold: settings of the object, which running pods take over.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    namespace::Namespace,
    object::{patch, settled},
    process::{eventually, must_fail, run},
    registry::hello_layout,
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
