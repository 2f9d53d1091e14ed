//! Objects are made by POST, which never takes over what somebody else made in the meantime. That their fields count as
//! applied is seen to when one is next written: most never are, and a thousand registries are twenty thousand objects.

use kube::{
    Api, ResourceExt,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::cluster::apply::MANAGER;

/// Controllers of the cluster's are at a new object at once, and then leave it alone.
const ATTEMPTS: usize = 3;

/// Makes an object. One of that name that is there already is left alone, and the API server's 409 returned; a field that
/// no schema has is refused with 400.
pub async fn create(api: &Api<DynamicObject>, wanted: &Value) -> Result<DynamicObject, kube::Error> {
    // `PostParams` have no way to say how strict the API server is to be.
    let url = format!("{}?fieldManager={MANAGER}&fieldValidation=Strict", api.resource_url());
    let body = serde_json::to_vec(wanted).map_err(kube::Error::SerdeError)?;
    let request = http::Request::post(url).header(http::header::CONTENT_TYPE, "application/json").body(body);
    api.clone().into_client().request(request.map_err(kube::Error::HttpError)?).await
}

/// As [`own`], of the object as it is by now.
pub async fn owned(
    api: &Api<DynamicObject>,
    mut object: DynamicObject,
) -> Result<DynamicObject, kube::Error> {
    let mut attempts = 1;
    loop {
        match own(api, &object).await {
            Err(kube::Error::Api(status)) if status.code == 409 && attempts < ATTEMPTS => {
                object = api.get(&object.name_any()).await?;
                attempts += 1;
            }
            // An apply on top of a POST's fields would hide them for ever: the next pass begins anew.
            done => return Ok(done?.unwrap_or(object)),
        }
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
