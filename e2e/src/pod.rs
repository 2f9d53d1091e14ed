//! Processes of pods, as the machine under the cluster sees them.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{kubectl::get, process::run};

/// Pid of the first container of a pod, on this machine.
pub fn pid(namespace: &str, pod: &str) -> Result<u32> {
    let status = get(namespace, &["pod", pod])?;
    let id = status["status"]["containerStatuses"][0]["containerID"].as_str().context("no container")?;
    let id = id.rsplit('/').next().unwrap_or_default();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let groups = fs::read_to_string(entry.path().join("cgroup")).unwrap_or_default();
        if groups.contains(id) && Path::new(&format!("/proc/{pid}/exe")).read_link().is_ok() {
            return Ok(pid);
        }
    }
    anyhow::bail!("no process of container {id}: run the tests on the machine that runs the nodes")
}

/// Bytes that a process has written so far.
pub fn written(pid: u32) -> Result<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: ")).context("no wchar")?;
    Ok(line.parse()?)
}

/// Sends `signal` (`KILL`, `STOP`, `CONT`) to a process.
pub fn signal(pid: u32, signal: &str) -> Result<()> {
    run(std::process::Command::new("kill").args([&format!("-{signal}"), &pid.to_string()])).map(drop)
}

/// Names of the pods of a component (`registry`, `redis`) that are not being deleted.
pub fn pods(namespace: &str, instance: &str, component: &str) -> Result<Vec<String>> {
    let labels = format!("app.kubernetes.io/instance={instance},app.kubernetes.io/component={component}");
    let pods = get(namespace, &["pods", "-l", &labels])?;
    let items = pods["items"].as_array().context("no list of pods")?;
    let living = items.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    Ok(living.filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned)).collect())
}
