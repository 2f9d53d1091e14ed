//! Server-side apply that sends only what differs, and never touches what is not ours.

use kube::{
    Client,
    api::{Api, ApiResource, DynamicObject, ObjectMeta, Patch, PatchParams},
    core::GroupVersionKind,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::cluster::{
    create::{create, own, owned},
    subset::contains,
};

/// Field manager of every write.
pub const MANAGER: &str = "privateregistry-operator";
/// Hash of what was last sent, on every child.
pub const APPLIED: &str = "privateregistry.dev/applied";

/// What became of a child.
#[derive(Debug)]
pub enum Outcome {
    /// It was as wanted: nothing was sent.
    Unchanged(Box<DynamicObject>),
    /// It was made.
    Created(Box<DynamicObject>),
    /// What we want of it has changed.
    Updated(Box<DynamicObject>),
    /// Somebody had changed it: it was put back.
    Reverted(Box<DynamicObject>),
    /// An object of that name, with this uid, is somebody else's.
    Foreign(String),
    /// It selects other pods than it should, which no write can change.
    Misselects(Box<DynamicObject>),
}

/// Client for the kind and namespace of `object`.
pub fn api(client: &Client, object: &Value) -> Api<DynamicObject> {
    let (group, version) =
        object["apiVersion"].as_str().unwrap_or_default().split_once('/').unwrap_or(("", "v1"));
    let kind = object["kind"].as_str().unwrap_or_default();
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    Api::namespaced_with(client.clone(), namespace, &resource)
}

/// Whose child an object is, and which foreign object may be taken over.
#[derive(Clone, Copy, Debug)]
pub struct Family<'a> {
    /// The registry's name.
    pub instance: &'a str,
    /// The registry's uid.
    pub uid: &'a str,
    /// Uid of a foreign object that the user allowed to be taken over.
    pub adopt: Option<&'a str>,
}

impl Family<'_> {
    /// Whether the object carries our labels and this registry's name, and no other controller's mark.
    pub fn has(&self, live: &ObjectMeta) -> bool {
        let label = |key: &str| live.labels.as_ref().and_then(|labels| labels.get(key)).map(String::as_str);
        let ours = label("app.kubernetes.io/managed-by") == Some(MANAGER)
            && label("app.kubernetes.io/instance") == Some(self.instance);
        let controller = live.owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
        // A registry of this name that was deleted and made again: its children are being collected.
        let ours = ours && controller.is_none_or(|owner| owner.name == self.instance);
        let owned = controller.is_some_and(|owner| owner.uid == self.uid);
        ours || owned || (self.adopt.is_some() && self.adopt == live.uid.as_deref())
    }
}

/// What is known of the object in the cluster before it is applied.
#[derive(Debug)]
pub enum Known {
    /// It is most likely not there: it is made, and read only if it is there after all.
    Absent,
    /// It was read a moment ago.
    Seen(Box<DynamicObject>),
    /// What is wanted follows from it: if it was changed since, nothing is written and the API server's 409 is returned.
    Source(Box<DynamicObject>),
}

/// Makes `wanted` true in the cluster.
pub async fn apply(
    client: &Client,
    wanted: &Value,
    known: Known,
    family: Family<'_>,
) -> Result<Outcome, kube::Error> {
    let (mut wanted, hash) = marked(wanted.clone());
    let api = api(client, &wanted);
    let name = wanted["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let pinned = matches!(known, Known::Source(_));
    let live = match known {
        Known::Seen(live) | Known::Source(live) => *live,
        Known::Absent => match create(&api, &wanted).await {
            Ok(made) => return Ok(Outcome::Created(Box::new(made))),
            // A quota, or a port that is taken by the object itself, is refused before its name is looked at.
            Err(refused) => api.get_opt(&name).await?.ok_or(refused)?,
        },
    };
    if !family.has(&live.metadata) {
        return Ok(Outcome::Foreign(live.metadata.uid.unwrap_or_default()));
    }
    if misselects(&live, &wanted) {
        return Ok(Outcome::Misselects(Box::new(live)));
    }
    let same = live.metadata.annotations.as_ref().and_then(|all| all.get(APPLIED)) == Some(&hash);
    let holds = serde_json::to_value(&live).is_ok_and(|live| contains(&live, &wanted));
    if same && holds {
        return Ok(Outcome::Unchanged(Box::new(live)));
    }
    // An object that was deleted and made again by somebody else in the meantime is not the one that was judged.
    wanted["metadata"]["uid"] = live.metadata.uid.clone().into();
    // What was judged by its content must still be what it was.
    let live = if pinned { own(&api, &live).await?.unwrap_or(live) } else { owned(&api, live).await? };
    if pinned {
        wanted["metadata"]["resourceVersion"] = live.metadata.resource_version.clone().into();
    }
    let sent = Box::new(send(&api, &name, &wanted).await?);
    if sent.metadata.resource_version == live.metadata.resource_version {
        // The API server sees no difference where we did: a default, or an entry that somebody else owns.
        return Ok(Outcome::Unchanged(sent));
    }
    Ok(if same { Outcome::Reverted(sent) } else { Outcome::Updated(sent) })
}

/// `wanted` with its own hash in an annotation, and that hash.
pub fn marked(mut wanted: Value) -> (Value, String) {
    let hash = hex::encode(Sha256::digest(wanted.to_string().as_bytes()))[..16].to_owned();
    wanted["metadata"]["annotations"][APPLIED] = hash.clone().into();
    (wanted, hash)
}

/// The selector of a Deployment cannot be changed.
fn misselects(live: &DynamicObject, wanted: &Value) -> bool {
    wanted["kind"] == "Deployment" && live.data["spec"]["selector"] != wanted["spec"]["selector"]
}

async fn send(api: &Api<DynamicObject>, name: &str, wanted: &Value) -> Result<DynamicObject, kube::Error> {
    api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(wanted)).await
}
