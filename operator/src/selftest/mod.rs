//! `operator selftest`, what `helm test` runs: a registry of its own is made, an image pushed to it and pulled back, and
//! it is removed again. What it does it prints.

mod image;

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, PostParams},
    runtime::{
        conditions::is_deleted,
        wait::{Condition, await_condition},
    },
};
use serde_json::json;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, timeout},
};

use crate::{args::SelfTest, crd::registry::PrivateRegistry, selftest::image::Registry};

/// The object's name: the test's role is for the Secret and the ConfigMap of this one alone.
const NAME: &str = "selftest";
/// Marks what a test made.
const MARK: &str = "privateregistry.dev/selftest";
/// How long its children may take to go.
const REMOVED: Duration = Duration::from_secs(60);
/// Bytes of the image's layer.
const LAYER: usize = 1 << 20;

/// Runs the test; the registry is removed whatever comes of it.
pub async fn run(client: Client, test: &SelfTest) -> Result<()> {
    let api: Api<PrivateRegistry> = Api::namespaced(client.clone(), &test.namespace);
    let uid = make(&api).await?;
    println!("PrivateRegistry {NAME} made in namespace {}", test.namespace);
    let limit = Duration::from_secs(test.timeout);
    let mut terminated = signal(SignalKind::terminate())?;
    let outcome = tokio::select! {
        proven = timeout(limit, prove(&client, &api, &test.namespace)) => {
            proven.unwrap_or_else(|_| Err(anyhow!("it was not done after {} s", test.timeout)))
        }
        _ = terminated.recv() => Err(anyhow!("the test was ended from outside")),
    };
    if outcome.is_err()
        && let Ok(object) = api.get_status(NAME).await
    {
        println!("what the object says:{}", said(&object));
    }
    match (outcome, remove(&api, &uid).await) {
        (Err(error), Err(left)) => Err(error.context(format!("it is left behind: {left:#}"))),
        (outcome, removed) => outcome.and(removed),
    }
}

/// Makes the object; one that an earlier test was kept from removing goes first.
async fn make(api: &Api<PrivateRegistry>) -> Result<String> {
    if let Some(left) = api.get_opt(NAME).await.context("failed to look for an earlier test")? {
        ensure!(
            left.annotations().contains_key(MARK),
            "PrivateRegistry {NAME} is there and no test's: rename it"
        );
        println!("an earlier test left its registry behind");
        remove(api, &left.uid().unwrap_or_default()).await?;
    }
    let made = api.create(&PostParams::default(), &object()?).await;
    Ok(made.with_context(|| format!("failed to make PrivateRegistry {NAME}"))?.uid().unwrap_or_default())
}

fn object() -> Result<PrivateRegistry> {
    Ok(serde_json::from_value(json!({
        "apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry",
        "metadata": {"name": NAME, "annotations": {MARK: "true"}},
        "spec": {"deletionPolicy": "Delete", "storage": {"ephemeral": {"sizeLimit": "100Mi"}}, "cache": {"none": {}}},
    }))?)
}

async fn remove(api: &Api<PrivateRegistry>, uid: &str) -> Result<()> {
    // With all of its children, so that the next test finds nothing of this one.
    let gone = await_condition(api.clone(), NAME, is_deleted(uid));
    api.delete(NAME, &DeleteParams::foreground()).await.context("failed to remove the PrivateRegistry")?;
    timeout(REMOVED, gone).await.context("the PrivateRegistry does not go")??;
    println!("PrivateRegistry {NAME} removed");
    Ok(())
}

async fn prove(client: &Client, api: &Api<PrivateRegistry>, namespace: &str) -> Result<()> {
    let began = Instant::now();
    await_condition(api.clone(), NAME, ready()).await.context("failed to watch the PrivateRegistry")?;
    println!("Ready after {} s", began.elapsed().as_secs());

    let registry = connect(client, api, namespace).await?;
    // Nodes take a moment to learn that a new Service has a pod.
    registry.answers().await.context("the registry does not let its admin in")?;
    let layer: Vec<u8> = (0..LAYER).map(|_| rand::random()).collect();
    let digest = registry.push("selftest", "1", &layer).await.context("failed to push")?;
    println!("pushed selftest:1, {digest}");
    let (found, pulled) = registry.pull("selftest", "1").await.context("failed to pull")?;
    ensure!(found == digest && pulled == layer, "what was pulled is not what was pushed: {found}");
    println!("pulled it back, byte for byte");
    Ok(())
}

fn ready() -> impl Condition<PrivateRegistry> {
    |object: Option<&PrivateRegistry>| {
        let status = object.and_then(|object| object.status.as_ref());
        status.is_some_and(|status| {
            status.conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True")
        })
    }
}

/// The conditions, for people.
fn said(object: &PrivateRegistry) -> String {
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    conditions
        .map(|one| format!("\n  {}={} {}: {}", one.type_, one.status, one.reason, one.message))
        .collect()
}

/// A client of the registry, with what its users read: address, CA and password.
async fn connect(client: &Client, api: &Api<PrivateRegistry>, namespace: &str) -> Result<Registry> {
    let status = api.get_status(NAME).await?.status.unwrap_or_default();
    let url = status.url.context("the status has no url")?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let secret = secrets.get(&format!("{NAME}.admin")).await.context("failed to read the admin's Secret")?;
    let password = secret.data.unwrap_or_default().remove("password").context("the admin has no password")?;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let trust = maps.get(&format!("{NAME}-trust")).await.context("failed to read the CA")?;
    let ca = trust.data.unwrap_or_default().remove("ca.crt").context("there is no ca.crt")?;
    Registry::at(&url, &ca, &String::from_utf8(password.0)?)
}
