//! The status goes to the cluster when it says something new; conditions that changed become Events.

use k8s_openapi::jiff::Timestamp;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    runtime::events::EventType,
};
use serde_json::{Value, json};

use crate::{
    cluster::{apply::MANAGER, deployment::count},
    crd::{
        condition::{kind, reason},
        registry::PrivateRegistry,
        status::PrivateRegistryStatus,
    },
    private_registry::{
        apply::Pass,
        context::Context,
        error::PassError,
        observe::failed,
        status::{
            compute,
            news::news,
            observed::Observed,
            pace::{IDLE, Progress, next},
            verdict::Verdict,
        },
        tell::{News, tell},
    },
};

/// The object with a status: a first one is written before anything else is done.
pub async fn announced(object: PrivateRegistry, client: &Client) -> Result<PrivateRegistry, PassError> {
    if object.status.is_some() {
        return Ok(object);
    }
    let status = compute::first(&object, Timestamp::now().as_second());
    send(&object, client, &status).await?;
    Ok(PrivateRegistry { status: Some(status), ..object })
}

/// The status after a pass.
pub async fn write(pass: &Pass<'_>, seen: &Observed, now: i64) -> Result<Progress, PassError> {
    let status = compute::compute(pass.object, pass.reader.model, seen, now);
    deliver(pass, &status).await?;
    Ok(next(&status, seen, now))
}

/// The status of a registry whose children nobody may write.
pub async fn paused(pass: &Pass<'_>, deployment: Option<&Value>, now: i64) -> Result<Progress, PassError> {
    let ready = deployment.map_or(0, |deployment| count(deployment, "readyReplicas"));
    let status = compute::paused(pass.object, ready, now);
    deliver(pass, &status).await?;
    Ok(Progress(IDLE))
}

/// The status after a pass that ended in an error which concerns the object.
pub async fn failed_pass(
    object: &PrivateRegistry,
    context: &Context,
    error: &PassError,
    now: i64,
) -> Result<(), PassError> {
    let status = compute::failed(object, error, now);
    let before = object
        .status
        .as_ref()
        .and_then(|status| status.conditions.iter().find(|one| one.type_ == kind::READY));
    let known = before.is_some_and(|ready| ready.reason == error.reason());
    if object.status.as_ref() != Some(&status) {
        send(object, &context.client, &status).await?;
    }
    if !known {
        let ready = status.conditions.iter().find(|one| one.type_ == kind::READY);
        let note = ready.map(|ready| ready.message.clone()).unwrap_or_default();
        let news = News { type_: EventType::Warning, reason: error.reason(), note, child: None };
        tell(&context.recorder, object, news).await;
    }
    Ok(())
}

/// The status of an object that does not fit the types of this operator.
pub async fn unreadable(client: &Client, namespace: &str, name: &str, error: &str) -> Result<(), PassError> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), namespace, &ApiResource::erase::<PrivateRegistry>(&()));
    let verdict =
        Verdict::no(kind::READY, reason::INVALID_SPEC, format!("the object cannot be read: {error}"));
    let live = api.get_opt(name).await.map_err(failed(|| format!("read {name}")))?;
    let Some(live) = live else { return Ok(()) };
    let condition = verdict.condition(None, live.metadata.generation, Timestamp::now());
    let told = live.data["status"]["conditions"].as_array().into_iter().flatten();
    if told.clone().any(|one| one["reason"] == reason::INVALID_SPEC && one["message"] == condition.message) {
        return Ok(());
    }
    // All that was said before stays: what an apply leaves out goes.
    let mut status = live.data.get("status").cloned().unwrap_or_else(|| json!({}));
    let others = told.filter(|one| one["type"] != kind::READY).cloned();
    status["conditions"] = others.chain([json!(condition)]).collect();
    let patch = json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry",
        "status": status});
    let sent = api.patch_status(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&patch)).await;
    sent.map(drop).map_err(failed(|| "write the status".into()))
}

async fn deliver(pass: &Pass<'_>, status: &PrivateRegistryStatus) -> Result<(), PassError> {
    if pass.object.status.as_ref() == Some(status) {
        return Ok(());
    }
    send(pass.object, pass.reader.client, status).await?;
    for (type_, reason, message) in news(pass.object.status.as_ref(), status) {
        pass.tell(type_, &reason, message).await;
    }
    Ok(())
}

/// Sends the status. An older CRD refuses fields that it does not declare.
async fn send(
    object: &PrivateRegistry,
    client: &Client,
    status: &PrivateRegistryStatus,
) -> Result<(), PassError> {
    let namespace = object.namespace().ok_or(PassError::Incomplete("a namespace"))?;
    let api: Api<PrivateRegistry> = Api::namespaced(client.clone(), &namespace);
    let patch =
        json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry", "status": status});
    let sent = api
        .patch_status(&object.name_any(), &PatchParams::apply(MANAGER).force(), &Patch::Apply(&patch))
        .await;
    match sent {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(refused)) if refused.message.contains("field not declared in schema") => {
            Err(PassError::CrdOutdated)
        }
        Err(error) => Err(failed(|| "write the status".into())(error)),
    }
}
