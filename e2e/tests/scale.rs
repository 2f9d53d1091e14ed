//! Many registries under one operator. `SCALE_OBJECTS` says how many; without it as many as the goal names.

use std::{
    env,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, kubectl},
    namespace::Namespace,
    object::manifest,
    operator::{NAME, NAMESPACE, Work, peak_memory, work},
    process::{eventually_each, run},
};

/// How long all of them may take: ten times the goal, since a goal is for a quiet machine and a test for any.
const LIMIT: Duration = Duration::from_secs(1800);

/// Registries in one namespace.
const EACH: usize = 50;
/// Time between two looks: each costs a program's start.
const PACE: Duration = Duration::from_secs(3);

fn wanted() -> Result<usize> {
    Ok(env::var("SCALE_OBJECTS").map_or(Ok(1000), |text| text.parse())?)
}

/// Starts the operator anew: its counters and its peak begin at nothing.
fn restart() -> Result<()> {
    let deployment = format!("deployment/{NAME}");
    run(&mut kubectl(&["-n", NAMESPACE, "rollout", "restart", &deployment]))?;
    run(&mut kubectl(&["-n", NAMESPACE, "rollout", "status", &deployment, "--timeout=120s"])).map(drop)
}

/// Waits until all objects have been carried out. Whether there are passes says nothing: after five minutes the first of
/// many are looked at again.
fn all_settled(count: usize) -> Result<()> {
    // Also that the cluster has taken note of the Deployment: until then there is something to say.
    let reasons = "jsonpath={range .items[*]}{.status.conditions[?(@.type==\"Ready\")].reason} \
                   {.status.conditions[?(@.type==\"Progressing\")].reason}{\"\\n\"}{end}";
    eventually_each(PACE, LIMIT, "all objects to settle", || {
        let passes = work()?.passes;
        // A look at the counter costs little, one at all objects much.
        ensure!(passes >= u64::try_from(count)?, "{passes} passes so far");
        let said = run(&mut kubectl(&["get", "preg", "-A", "-o", reasons]))?;
        let settled = said.lines().filter(|reasons| *reasons == "Suspended Suspended").count();
        ensure!(settled == count, "{settled} of {count}");
        Ok(Some(()))
    })
}

/// Waits until there were as many passes as objects.
fn passed_over(count: usize) -> Result<Work> {
    eventually_each(PACE, LIMIT, "a pass over each", || {
        Ok(Some(work()?).filter(|work| work.passes >= u64::try_from(count).unwrap_or(u64::MAX)))
    })
}

fn told(what: &str, began: Instant, work: Work) -> Result<()> {
    let Work { passes, reads, writes } = work;
    println!(
        "{what}: {:.0} s, {passes} passes, {reads} reads, {writes} writes, peak {} MiB",
        began.elapsed().as_secs_f64(),
        peak_memory()?
    );
    Ok(())
}

// operator 82, operator 69
#[test]
fn a_thousand_objects_settle_and_stay_quiet() -> Result<()> {
    let count = wanted()?;
    let numbers: Vec<usize> = (0..count).collect();
    let groups = numbers.chunks(EACH);
    let namespaces: Vec<Namespace> = (0..groups.len())
        .map(|group| Namespace::create(&format!("e2e-scale-{group}")))
        .collect::<Result<_>>()?;
    restart()?;
    let began = Instant::now();
    // Without pods, so that it is the operator that is measured, and not the node.
    let spec = "{suspend: true, storage: {filesystem: {size: 1Gi}}}";
    for (group, namespace) in groups.zip(&namespaces) {
        let objects: Vec<String> = group.iter().map(|number| manifest(&format!("r{number}"), spec)).collect();
        apply(namespace.name(), &objects.join("\n---\n"))?;
    }
    all_settled(count)?;
    told(&format!("{count} objects made"), began, work()?)?;

    // A new leader looks at each of them, and has nothing to do.
    restart()?;
    let began = Instant::now();
    let after = passed_over(count)?;
    told(&format!("{count} objects looked at by a new leader"), began, after)?;
    ensure!(after.writes == 0, "a new leader wrote {} times", after.writes);
    Ok(())
}
