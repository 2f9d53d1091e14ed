//! Objects are made by POST, which never takes over what somebody else made in the meantime.

use kube::{
    Api, ResourceExt,
    api::{DynamicObject, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::cluster::apply::MANAGER;

/// Makes an object. One of that name that is there already is left alone, and the API server's 409 returned.
pub async fn create(api: &Api<DynamicObject>, wanted: &Value) -> Result<DynamicObject, kube::Error> {
    let object: DynamicObject = serde_json::from_value(wanted.clone()).map_err(kube::Error::SerdeError)?;
    let params = PostParams { field_manager: Some(MANAGER.into()), ..PostParams::default() };
    let made = api.create(&params, &object).await?;
    match own(api, &made).await {
        // A controller of the cluster's was at it already: it is owned when it is next written.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(made),
        owned => Ok(owned?.unwrap_or(made)),
    }
}

/// Fields that came with a POST count as updated, not as applied: what a later apply no longer wants would stay. From
/// now on they count as applied, unless something of this object was applied before. An object that was changed since
/// it was read is left alone, and the API server's 409 returned; none: nothing had to be done.
///
/// Source: Kubernetes, "Server-Side Apply", "Upgrading from client-side apply".
pub async fn own(
    api: &Api<DynamicObject>,
    object: &DynamicObject,
) -> Result<Option<DynamicObject>, kube::Error> {
    let mut entries = json!(object.metadata.managed_fields);
    let all = entries.as_array().map_or(&[][..], Vec::as_slice);
    if all.iter().any(|entry| ours(entry, "Apply")) {
        return Ok(None);
    }
    let Some(posted) = all.iter().position(|entry| ours(entry, "Update")) else { return Ok(None) };
    entries[posted]["operation"] = "Apply".into();
    let patch = json!({"metadata": {"managedFields": entries,
        "resourceVersion": object.metadata.resource_version}});
    api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await.map(Some)
}

fn ours(entry: &Value, operation: &str) -> bool {
    let whole = entry["subresource"].as_str().unwrap_or_default().is_empty();
    entry["manager"] == MANAGER && entry["operation"] == operation && whole
}
