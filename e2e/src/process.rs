//! Programs run to their end, with their output in the error when they fail.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// Runs `command` and gives its standard output; a failure carries all that it said.
pub fn run(command: &mut Command) -> Result<String> {
    let output = output(command, None)?;
    checked(command, output)
}

/// As [`run`], with `input` on standard input: the way for secrets and manifests.
pub fn run_with_input(command: &mut Command, input: &str) -> Result<String> {
    let output = output(command, Some(input))?;
    checked(command, output)
}

/// As [`run`], for a client that tries again by itself when a request failed and says so: that is a failure here.
pub fn run_at_first_go(command: &mut Command) -> Result<String> {
    let output = output(command, None)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("retrying") {
        bail!("{command:?} had to try again: {said}");
    }
    checked(command, output)
}

/// Runs a command that must fail, and gives what it said.
pub fn must_fail(command: &mut Command) -> Result<String> {
    let output = output(command, None)?;
    failed(command, output)
}

/// As [`must_fail`], with `input` on standard input.
pub fn must_fail_with_input(command: &mut Command, input: &str) -> Result<String> {
    let output = output(command, Some(input))?;
    failed(command, output)
}

fn failed(command: &Command, output: Output) -> Result<String> {
    if output.status.success() {
        bail!("{command:?} should have failed, and said {}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout))
}

/// Asks `probe` until it answers `Some`, at most for `limit`; the time-out carries its last error.
pub fn eventually<T>(limit: Duration, what: &str, probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    eventually_each(Duration::from_millis(200), limit, what, probe)
}

/// As [`eventually`], with this time between two questions: for those that cost something.
pub fn eventually_each<T>(
    pace: Duration,
    limit: Duration,
    what: &str,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let began = Instant::now();
    loop {
        let last = match probe() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => "not yet".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        if began.elapsed() > limit {
            bail!("{what}: not within {limit:?}: {last}");
        }
        std::thread::sleep(pace);
    }
}

fn output(command: &mut Command, input: Option<&str>) -> Result<Output> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().with_context(|| format!("failed to start {command:?}"))?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(input.as_bytes())?;
    }
    child.wait_with_output().with_context(|| format!("failed to wait for {command:?}"))
}

fn checked(command: &Command, output: Output) -> Result<String> {
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed: {}: {said}{}", output.status, String::from_utf8_lossy(&output.stdout));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
