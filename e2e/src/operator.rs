//! The operator, by what it says of itself.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, bail};

use crate::{
    kubectl::{get, kubectl},
    pod::pid,
    process::run,
};

/// Its namespace.
pub const NAMESPACE: &str = "private-registry-system";
/// The chart's release, and the name of its Deployment and of its pods.
pub const NAME: &str = "private-registry-operator";

/// What it has done since it started.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Passes over registries.
    pub passes: u64,
    /// Reads of passes.
    pub reads: u64,
    /// Writes of passes, the status among them, and Events.
    pub writes: u64,
}

/// Its pods that run and are to stay.
fn pods() -> Result<Vec<String>> {
    let labels = format!("app.kubernetes.io/name={NAME}");
    let pods = get(NAMESPACE, &["pods", "-l", &labels, "--field-selector=status.phase=Running"])?;
    let items = pods["items"].as_array().into_iter().flatten();
    let living = items.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    Ok(living.filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned)).collect())
}

/// Its pod that runs.
pub fn pod() -> Result<String> {
    pods()?.into_iter().next().context("no pod of the operator runs")
}

/// Fails when the operator's pods were refused something: the chart's role is all that they have. What a pod that is on its
/// way out is refused, because its role went first, is no matter.
pub fn nothing_was_refused() -> Result<()> {
    for pod in pods()? {
        let logs = run(&mut kubectl(&["-n", NAMESPACE, "logs", &pod, "--tail=-1"]))?;
        if let Some(line) = logs.lines().find(|line| line.contains("forbidden: User ")) {
            bail!("the chart's role lacks something: {line}");
        }
    }
    Ok(())
}

/// What its metrics say.
pub fn work() -> Result<Work> {
    let metrics = metrics()?;
    let reads = sum(&metrics, "preg_requests_total{verb=\"get\"");
    let all = sum(&metrics, "preg_requests_total") + sum(&metrics, "preg_events_total");
    Ok(Work { passes: sum(&metrics, "preg_passes_total"), reads, writes: all - reads })
}

/// What its metrics say of each kind of write.
pub fn writes() -> Result<BTreeSet<String>> {
    let metrics = metrics()?;
    let counted =
        |line: &&str| line.starts_with("preg_requests_total{") || line.starts_with("preg_events_total");
    let written = metrics.lines().filter(counted).filter(|line| !line.contains("verb=\"get\""));
    Ok(written.map(str::to_owned).collect())
}

fn metrics() -> Result<String> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/http:{}:8080/proxy/metrics", pod()?);
    run(&mut kubectl(&["get", "--raw", &path]))
}

/// The most memory that its process has had resident, in MiB.
pub fn peak_memory() -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid(NAMESPACE, &pod()?)?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes / 1024)
}

/// A counter over all labels that follow.
fn sum(metrics: &str, counter: &str) -> u64 {
    let values = metrics
        .lines()
        .filter_map(|line| line.strip_prefix(counter))
        .filter_map(|rest| rest.rsplit(' ').next());
    values.filter_map(|value| value.parse::<u64>().ok()).sum()
}
