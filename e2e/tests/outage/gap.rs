//! Nobody looks after the registries for a while, and much changes meanwhile.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use e2e::{
    kubectl::{get, kubectl, wait},
    load::Load,
    namespace::Namespace,
    object::{apply_object, condition, patch, patch_any, settled, until},
    operator::{NAME, NAMESPACE as SYSTEM, nothing_was_refused},
    process::{eventually, run},
    registry::{Registry, answers as requests},
};
use serde_json::Value;

use crate::{ALONE, registry};

/// As many operators as are to run; one again when this goes out of scope.
struct Operators;

impl Operators {
    fn scale(&self, replicas: u32) -> Result<()> {
        let (name, count) = (format!("deployment/{NAME}"), format!("--replicas={replicas}"));
        run(&mut kubectl(&["-n", SYSTEM, "scale", &name, &count]))?;
        if replicas == 0 {
            let labels = format!("app.kubernetes.io/name={NAME}");
            let gone = ["-n", SYSTEM, "wait", "pod", "-l", &labels, "--for=delete", "--timeout=60s"];
            return run(&mut kubectl(&gone)).map(drop);
        }
        run(&mut kubectl(&["-n", SYSTEM, "rollout", "status", &name, "--timeout=60s"])).map(drop)
    }
}

impl Drop for Operators {
    fn drop(&mut self) {
        let _ = self.scale(1);
    }
}

/// What each pod of the operator answers at `path`.
fn answers(path: &str) -> Result<Vec<String>> {
    let pods = get(SYSTEM, &["pods", "-l", &format!("app.kubernetes.io/name={NAME}")])?;
    let names = pods["items"].as_array().into_iter().flatten().map(|pod| &pod["metadata"]["name"]);
    let ask = |name: &Value| {
        let name = name.as_str().context("no name")?;
        run(&mut kubectl(&[
            "get",
            "--raw",
            &format!("/api/v1/namespaces/{SYSTEM}/pods/http:{name}:8080/proxy{path}"),
        ]))
    };
    names.map(ask).collect()
}

/// The one that waits answers as the one that works does, which alone has something to count.
fn both_answer() -> Result<()> {
    for path in ["/livez", "/readyz", "/metrics"] {
        let said = answers(path)?;
        ensure!(said.len() == 2, "{path}: {said:?}");
    }
    let metrics = answers("/metrics")?;
    for family in ["preg_passes_total", "preg_leading 1\n"] {
        let leaders = metrics.iter().filter(|said| said.contains(family)).count();
        ensure!(leaders == 1, "one leads and one waits: {metrics:?}");
    }
    Ok(())
}

// operator 68, operator 69, operator 114: what changed while no operator was there is carried out by the next one, and
// nobody was told before that it had been
#[test]
fn a_new_leader_carries_out_what_changed_while_there_was_none() -> Result<()> {
    let _alone = ALONE.lock();
    let namespace = Namespace::create("e2e-gap")?;
    let (team, load) = registry(namespace.name())?;
    apply_object(namespace.name(), "leaving", "{storage: {ephemeral: {}}, cache: {none: {}}}")?;
    settled(namespace.name(), "team")?;
    settled(namespace.name(), "leaving")?;
    let pods = team.pods()?;
    nothing_was_refused()?;
    let operators = Operators;
    operators.scale(0)?;

    patch(namespace.name(), "team", r#"{"logging": {"level": "Debug"}}"#)?;
    let password = r#"{"stringData": {"password": "changed-in-the-gap"}}"#;
    patch_any(namespace.name(), &["secret", "team.admin"], password)?;
    patch_any(namespace.name(), &["service", "team-registry"], r#"{"spec": {"type": "NodePort"}}"#)?;
    run(&mut kubectl(&["-n", namespace.name(), "delete", "networkpolicy", "team-registry"]))?;
    run(&mut kubectl(&["-n", namespace.name(), "delete", "preg", "leaving"]))?;
    apply_object(namespace.name(), "coming", "{storage: {ephemeral: {}}, cache: {none: {}}}")?;
    let (now, _) = condition(namespace.name(), "team", "Ready")?;
    ensure!(now == "True/AllReady", "without an operator it became {now}");
    let early = wait(namespace.name(), "preg/team", "condition=Ready", 1);
    ensure!(early.is_err(), "what nobody has seen is Ready");
    load.finish()?;

    operators.scale(2)?;
    wait(namespace.name(), "preg/team", "condition=Ready", 90)?;
    settled(namespace.name(), "team")?;
    settled(namespace.name(), "coming")?;
    both_answer()?;
    let live = get(namespace.name(), &["configmap", "team-live"])?;
    ensure!(live["data"]["live.yml"].as_str().is_some_and(|text| text.contains("debug")), "{live}");
    let service = get(namespace.name(), &["service", "team-registry"])?;
    ensure!(service["spec"]["type"] == "ClusterIP", "{}", service["spec"]);
    get(namespace.name(), &["networkpolicy", "team-registry"])?;
    eventually(Duration::from_secs(90), "the new password", || {
        Ok((team.status_of("/v2/", "admin", "changed-in-the-gap")? == "200").then_some(()))
    })?;
    let left = get(namespace.name(), &["deployments", "-l", "app.kubernetes.io/instance=leaving"])?;
    ensure!(left["items"].as_array().is_some_and(Vec::is_empty), "left: {left}");
    ensure!(pods == team.pods()?, "pods were replaced");
    nothing_was_refused()
}

/// Asks again and again, and takes note of whether it was answered.
fn noted(team: &Arc<Registry>) -> (Load, Arc<Mutex<Vec<bool>>>) {
    let (target, notes) = (Arc::clone(team), Arc::<Mutex<Vec<bool>>>::default());
    let kept = Arc::clone(&notes);
    let load = Load::start(move || {
        let answered = target.status_of("/v2/", "admin", &target.password).is_ok_and(|said| said == "200");
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(answered);
        Ok(())
    });
    (load, notes)
}

/// How often the Deployment's pods were replaced.
fn revision(namespace: &str) -> Result<u64> {
    let deployment = get(namespace, &["deployment", "team-registry"])?;
    let text = deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"].as_str();
    Ok(text.context("no revision")?.parse()?)
}

/// The file that the pods start with.
fn boot(namespace: &str) -> Result<String> {
    let deployment = get(namespace, &["deployment", "team-registry"])?;
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array().into_iter().flatten();
    let mut maps = volumes.filter_map(|volume| volume["configMap"]["name"].as_str());
    let name = maps.find(|name| name.starts_with("team-config-")).context("no boot file")?;
    let map = get(namespace, &["configmap", name])?;
    Ok(map["data"]["config.yml"].as_str().unwrap_or_default().to_owned())
}

// guarantee 4, operator 69: what replaces pods, changed twice in the gap, replaces them once when there is an operator again.
// Its volume is one pod's at a time: requests fail between the two pods, and at no other time
#[test]
fn pods_are_replaced_once_for_what_changed_while_there_was_no_operator() -> Result<()> {
    let _alone = ALONE.lock();
    let namespace = Namespace::create("e2e-gap-boot")?;
    let (team, load) = registry(namespace.name())?;
    settled(namespace.name(), "team")?;
    let (pods, replaced) = (team.pods()?, revision(namespace.name())?);
    let operators = Operators;
    operators.scale(0)?;
    patch(namespace.name(), "team", r#"{"logging": {"format": "Text"}}"#)?;
    patch(namespace.name(), "team", r#"{"drainTimeout": "30s"}"#)?;
    ensure!(
        wait(namespace.name(), "preg/team", "condition=Ready", 1).is_err(),
        "what nobody has seen is Ready"
    );
    ensure!(pods == team.pods()?, "pods were replaced without an operator");
    load.finish()?;

    let (load, notes) = noted(&team);
    operators.scale(1)?;
    until(namespace.name(), "team", "Progressing", "True/RollingOut")?;
    settled(namespace.name(), "team")?;
    // What is said to be rolled out is.
    let now = team.pods()?;
    ensure!(now.len() == 1 && now != pods, "{pods:?} became {now:?}");
    let boot = boot(namespace.name())?;
    // Text is what the file means without the key.
    ensure!(!boot.contains("formatter: json") && boot.contains("draintimeout: 30s"), "{boot}");
    // The node's proxy learns of a ready pod a moment after the API server does.
    eventually(Duration::from_secs(20), "the new pod to answer", || {
        Ok((team.status_of("/v2/", "admin", &team.password)? == "200").then_some(()))
    })?;
    let good = requests(&team);
    // A look that finds nothing new, and another operator, replace nothing.
    operators.scale(0)?;
    operators.scale(1)?;
    patch(namespace.name(), "team", r#"{"readOnly": true}"#)?;
    settled(namespace.name(), "team")?;
    good.finish()?;
    // One that was sent between the two pods may wait for its time-out.
    eventually(Duration::from_secs(30), "requests to be answered as before", || {
        Ok((notes.lock().unwrap_or_else(PoisonError::into_inner).last() == Some(&true)).then_some(()))
    })?;
    load.finish()?;
    let notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
    let outages = notes.windows(2).filter(|pair| pair[0] && !pair[1]).count();
    ensure!(outages <= 1, "{outages} outages: {notes:?}");
    ensure!(now == team.pods()?, "pods were replaced twice");
    let times = revision(namespace.name())? - replaced;
    ensure!(times == 1, "{times} roll-outs");
    nothing_was_refused()
}
